"""Hours without the word: altered copies of the recordings."""

import csv
from pathlib import Path

import numpy as np
import pytest

from bluering.training.augment.hours import stream_files
from bluering.training.augment.negatives import altered_stream
from bluering.training.augment.rooms import impulse_responses
from bluering.training.augment.streams import read_streams
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.speak.voices import RATE

ROOT = Path(__file__).parents[2]


def _noise(seed: int, seconds: float = 2.0) -> np.ndarray:
    """In bursts, as the front end removes steady noise."""
    white = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))
    return (white * (np.arange(len(white)) // (RATE // 5) % 2)).astype(np.float32)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A corpus of eight short recordings, and an empty cache."""
    from soundfile import write

    corpus = tmp_path / "corpus" / "manifest.csv"
    corpus.parent.mkdir()
    with corpus.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "set", "speaker", "duration_s"])
        for number in range(8):
            write(corpus.parent / f"{number}.wav", _noise(number), RATE)
            table.writerow([f"{number}.wav", "speech", "negatives", f"s{number}", 2.0])
    return Places(tmp_path / "cache", ROOT / "models/training/sentences.txt", corpus, 1)


def test_there_are_as_many_altered_copies_as_the_recipe_says(places: Places) -> None:
    few = Recipe(phrase="hey moon", chatter=0, altered=1)
    more = few.model_copy(update={"altered": 3})
    narrow = few.model_copy(update={"narrow": 1.0})

    def names(recipe: Recipe) -> list[str]:
        learned, _, files = stream_files(recipe, places)
        for file in files:  # here: processes take seconds to start
            file.make()
        return [stream.name for path in learned for stream in read_streams(path)]

    assert names(few) == ["speech", "altered-101"]
    assert names(more) == ["speech", "altered-101", "altered-102", "altered-103"]
    files = set((places.cache / "streams").iterdir())
    assert names(narrow) == names(few)
    (added,) = set((places.cache / "streams").iterdir()) - files
    assert added.name.startswith("altered-1-")


def test_altered_recordings_may_be_band_limited() -> None:
    pool, rooms = [_noise(number) for number in range(4)], impulse_responses(1, 2)

    def edge(narrow: float) -> float:
        """The ratio of upper to lower channels where it is loud."""
        rows = [altered_stream(pool, rooms, [seed], "x", narrow).rows for seed in range(1, 5)]
        loud = [r[r.mean(1) > np.percentile(r.mean(1), 60)].astype(float) for r in rows]
        return float(np.mean([r[:, 36:].mean() / r[:, 10:20].mean() for r in loud]))

    assert edge(1.0) < 0.85 * edge(0.0)

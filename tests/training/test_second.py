"""A second network: what it learns from, and from which score of the first on it is asked."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from bluering.training import doubt
from bluering.training.pipeline import Spoken, augment
from bluering.training.recipe import Recipe, Second, Tracks, TracksNoiseBy, Training
from bluering.training.stages import Places

BLOBS = (b"\0", b"\1")
SPOKEN = ("word", "look_alike", "sentence", "held_out")
RECIPE = Recipe(phrase="word", window=1)


@pytest.fixture(autouse=True)
def told_by_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks whose scores are those that a column of the rows says."""
    monkeypatch.setattr(doubt, "scores", lambda blob, rows: rows[2::3, blob[0]])


def heard(length: int, *sounds: tuple[int, int]) -> np.ndarray:
    """Rows with sounds, for each what the first and the second say of it."""
    rows = np.zeros((length, 40), np.uint8)
    for number, both in enumerate(sounds):
        at = 200 * (number + 1)
        rows[at : at + 6, :2] = both  # a step in each phase
    return rows


def test_it_is_the_one_with_which_the_least_is_missed() -> None:
    words = np.stack([heard(300, (95, 255)), heard(300, (160, 160))])
    # At 0.3 the second makes more of the first sound, at 0.4 it doesn't save from the others.
    stream = heard(3_600, (80, 250), (100, 0), (110, 10))
    found = doubt.choose_doubt(BLOBS, RECIPE, words, [stream])
    assert (found.value, found.misses) == (int(0.35 * 255), 0.0)
    assert found.asked_per_hour == pytest.approx(2 / 0.01, rel=1e-3)


def test_of_equals_the_highest() -> None:
    words = heard(300, (200, 200))[None]
    found = doubt.choose_doubt(BLOBS, RECIPE, words, [heard(3_600, (20, 20))])
    assert found.value == int(0.5 * 255)
    assert found.asked_per_hour == 0.0


def test_without_recordings_it_is_the_middle_one() -> None:
    found = doubt.choose_doubt(BLOBS, RECIPE, heard(300, (200, 200))[None], [])
    assert found == doubt.Doubt(int(0.4 * 255), 0.0, 0.0)


def test_what_begins_before_the_memory_is_full_counts_for_no_word() -> None:
    early = np.zeros((1, 300, 40), np.uint8)
    early[0, :140, :2] = 255
    found = doubt.choose_doubt(BLOBS, RECIPE, early, [heard(3_600, (20, 20))])
    assert found.misses == 1.0


def test_its_recipe_is_the_first_one_s_but_for_what_departs() -> None:
    training = Training(doubted=False)
    first = Recipe(phrase="word", altered=2, second=Second(noise_by="both", training=training))
    assert first.of_second() == Recipe(phrase="word", altered=2, noise_by="both", training=training)


def test_one_that_departs_in_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="departs in nothing"):
        Recipe(phrase="word", second=Second(altered=Recipe(phrase="word").altered))


def test_noise_by_both_is_by_kind_in_every_third_file_to_learn_from(tmp_path: Path) -> None:
    sentences = [tmp_path / "sentence.npz"]
    said: dict[str, list[Path]] = dict.fromkeys(SPOKEN, sentences)
    places = Places(tmp_path / "cache", sentences[0], tmp_path / "no-corpus")
    tracks = Tracks(word=4_000, held_out=1_600)
    by = {}
    ways: tuple[TracksNoiseBy, ...] = ("time", "kind", "both")
    for way in ways:
        recipe = Recipe(phrase="word", noise_by=way, tracks=tracks)
        by[way], _ = augment(recipe, Spoken(said), places)
    times, kinds = by["time"]["word"], by["kind"]["word"]
    assert not set(times) & set(kinds)
    assert by["both"]["word"] == [kinds[i] if i % 3 == 2 else times[i] for i in range(len(times))]
    assert by["both"]["held_out"] == by["time"]["held_out"] != by["kind"]["held_out"]

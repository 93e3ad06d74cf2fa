"""Real recordings of the word, as a recipe may add them."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bluering.training.augment.noises import Noises
from bluering.training.augment.recorded import recorded_clips, recordings
from bluering.training.augment.rooms import impulse_responses
from bluering.training.augment.shards import load_tracks, track_files
from bluering.training.augment.tracks import Sources, make_tracks, read_tracks
from bluering.training.errors import TrainingError
from bluering.training.places import Places
from bluering.training.recipe import Recipe, Tracks
from bluering.training.speak.stage import SpeechFiles
from bluering.training.speak.voices import RATE, Utterance
from bluering.training.workers import make_files


def _write(path: Path, seconds: float = 0.6, noise: float = 20.0) -> Path:
    """A word after one second, in noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    x = rng.normal(0, noise, 3 * RATE)
    length = round(seconds * RATE)
    x[RATE : RATE + length] += 8000 * np.sin(2 * np.pi * 300 * np.arange(length) / RATE)
    soundfile.write(path, np.rint(x).astype(np.int16), RATE, subtype="PCM_16")
    return path


def test_recordings_are_trimmed_to_the_word(tmp_path: Path) -> None:
    [clip] = recorded_clips([_write(tmp_path / "a.wav")], "computer")
    assert len(clip.samples) / RATE == pytest.approx(0.6, abs=0.08)
    assert (clip.utterance.engine, clip.utterance.text) == ("recorded", "computer")
    sources = Sources([clip], [], [clip], Noises({}, "time"), impulse_responses(1, 2))
    tracks = make_tracks(sources, "word", 3, [1])
    assert (tracks.end > tracks.start).all()


def test_folders_are_read_recursively_and_in_order(tmp_path: Path) -> None:
    for name in ("b/2.flac", "b/1.flac", "b/deep/3.wav", "b/readme.txt"):
        path = tmp_path / name
        _write(path) if path.suffix != ".txt" else path.write_text("no sound")
    found = recordings([str(tmp_path / "b")])
    assert [path.name for path in found] == ["1.flac", "2.flac", "3.wav"]


def test_errors_name_what_is_wrong_with_recordings(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no sound files"):
        recordings([str(tmp_path / "nowhere")])
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(RATE, np.int16), RATE)
    with pytest.raises(TrainingError, match=r"silent.wav has no sound"):
        recorded_clips([silent], "computer")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    with pytest.raises(TrainingError, match=r"broken.wav"):
        recorded_clips([broken], "computer")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file of synthetic speech."""
    path = tmp_path / "clip.npz"
    said = [asdict(Utterance("a sentence", "espeak", "en"))]
    samples = np.random.default_rng(2).integers(-9000, 9000, RATE).astype(np.int16)
    np.savez(path, samples=samples, lengths=np.array([RATE]), utterances=json.dumps(said))
    return path


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., dict[str, list[Path]]]:
    """The tracks of a recipe that names folders of recordings."""
    _write(tmp_path / "one" / "a.wav")
    _write(tmp_path / "two" / "a.wav", seconds=0.9)
    places = Places(tmp_path / "cache", tmp_path / "none.txt", tmp_path / "no-corpus", jobs=1)

    def made(spoken: SpeechFiles, *folders: str, **counts: int) -> dict[str, list[Path]]:
        none = dict.fromkeys(Tracks.model_fields, 0)
        tracks = Tracks().model_copy(update=none | counts)
        named = tuple(str(tmp_path / folder) for folder in folders)
        recipe = Recipe(phrase="computer", recordings=named).model_copy(update={"tracks": tracks})
        tracks, files = track_files(recipe, spoken, places)
        make_files(files, places.jobs, lambda *_: None)
        return tracks

    return made


def _spoken(word: list[Path], sentence: Path) -> SpeechFiles:
    return SpeechFiles({"word": word, "look_alike": [], "sentence": [sentence], "held_out": []})


def test_without_synthetic_words_all_tracks_use_the_recordings(
    clip: Path, made: Callable[..., dict[str, list[Path]]]
) -> None:
    one, two = (made(_spoken([], clip), name, word=100, part=2, noise=2) for name in ("one", "two"))
    for kind in ("word", "part"):
        assert one[kind] != two[kind]
    assert one["noise"] == two["noise"]
    assert len(read_tracks(one["word"])) == 100


def test_recordings_have_tracks_of_their_own_and_leave_the_others_unchanged(
    clip: Path, made: Callable[..., dict[str, list[Path]]]
) -> None:
    """So that adding recordings doesn't repeat the augmentation of synthetic speech."""
    counts = {"word": 4, "recorded": 100, "noise": 2}
    one, two, none = (
        made(_spoken([clip], clip), *names, **counts) for names in (("one",), ("two",), ())
    )
    assert one["recorded"] != two["recorded"]
    assert "recorded" not in none
    for kind in ("word", "noise"):
        assert one[kind] == two[kind] == none[kind]
    assert len(read_tracks(one["recorded"])) == 100
    words, others = load_tracks(one)
    assert (len(words), len(others)) == (104, 2)

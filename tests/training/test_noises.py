"""Noise for tracks: how often each kind of recording is drawn, and synthetic noise."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bluering.training.augment import sound
from bluering.training.augment.noises import Noises
from bluering.training.augment.shards import track_files
from bluering.training.places import Places
from bluering.training.recipe import NoiseBy, Recipe, Tracks, TracksNoiseBy
from bluering.training.speak.stage import SpeechFiles
from bluering.training.speak.voices import RATE

_LENGTH = RATE // 2
_TALK = 99.0


def _steady(minutes: float, value: float) -> sound.Sound:
    return np.full(round(RATE * 60 * minutes), value, np.float32)


# Half a minute of rain, twelve and a half of television, as much talk: what is drawn is known by
# its value.
_RECORDINGS = {
    "rain": [_steady(0.25, 1), _steady(0.25, 1)],
    "speech": [_steady(12.5, 3)],
    "tv": [_steady(12.5, 2)],
}


def _drawn(noises: Noises, count: int) -> Counter[float]:
    """How often each value is drawn; 0 stands for synthetic noise."""
    rng = np.random.default_rng(1)
    found: Counter[float] = Counter()
    for _ in range(count):
        x = noises.drawn(_LENGTH, lambda: np.full(_LENGTH, _TALK, np.float32), rng)
        assert len(x) == _LENGTH
        middle = x[_LENGTH // 4 : -_LENGTH // 4]  # resampling changes the ends
        steady = np.ptp(middle) < 0.05 * np.abs(middle).max()
        found[round(float(np.median(middle)), 1) if steady else 0.0] += 1
    return found


@pytest.mark.parametrize(("by", "rain"), [("time", 0.02), ("kind", 1 / 6)])
def test_kinds_are_drawn_by_duration_or_by_its_square_root(by: NoiseBy, rain: float) -> None:
    found = _drawn(Noises(_RECORDINGS, by), 1000)
    share = found[1.0] / (found[1.0] + found[2.0] + found[3.0] * (by == "time"))
    assert share == pytest.approx(rain, abs=0.04)
    assert found[_TALK] > 50
    assert found[0.0] > 100


def test_by_kind_talk_is_drawn_only_as_babble() -> None:
    quiet = {kind: pool for kind, pool in _RECORDINGS.items() if kind != "speech"}
    assert _drawn(Noises(_RECORDINGS, "kind"), 300)[2.0] > 100
    assert set(_drawn(Noises(quiet, "kind"), 300)) == {0.0, 1.0, 2.0, _TALK}
    only_talk = {"speech": _RECORDINGS["speech"]}
    assert not {1.0, 2.0} & set(_drawn(Noises(only_talk, "kind"), 200))


@pytest.mark.parametrize("by", ["time", "kind"])
def test_without_recordings_noise_is_synthetic(by: NoiseBy) -> None:
    assert set(_drawn(Noises({}, by), 100)) == {0.0, _TALK}


@pytest.mark.parametrize("by", ["time", "kind"])
def test_draws_are_reproducible(by: NoiseBy) -> None:
    noises = Noises(_RECORDINGS, by)
    silence = np.zeros(_LENGTH, np.float32)

    def some(seed: int) -> list[bytes]:
        rng = np.random.default_rng(seed)
        return [noises.drawn(_LENGTH, lambda: silence, rng).tobytes() for _ in range(20)]

    assert some(1) == some(1)
    assert some(1) != some(2)


def test_sudden_sounds_stand_out() -> None:
    rng = np.random.default_rng(1)
    sounds = [sound.sudden(4 * RATE, rng) for _ in range(20)]
    again = sound.sudden(4 * RATE, np.random.default_rng(1))
    assert np.array_equal(sounds[0], again)
    assert all(len(x) == 4 * RATE and np.isfinite(x).all() for x in sounds)
    frames = [np.sqrt((x.reshape(-1, 160) ** 2).mean(1)) for x in sounds]
    swings = [frame.max() / np.percentile(frame, 10) for frame in frames]
    assert np.median(swings) > 5
    steady = [sound.coloured(4 * RATE, rng).reshape(-1, 160) for _ in range(20)]
    assert np.median(swings) > 2 * np.median(
        [x.std(1).max() / np.percentile(x.std(1), 10) for x in steady]
    )


def test_noise_by_both_is_by_kind_in_every_third_training_shard(tmp_path: Path) -> None:
    sentences = [tmp_path / "sentence.npz"]
    kinds = ("word", "look_alike", "sentence", "held_out")
    said: dict[str, list[Path]] = dict.fromkeys(kinds, sentences)
    places = Places(tmp_path / "cache", sentences[0], tmp_path / "no-corpus")
    tracks = Tracks(word=4_000, held_out=1_600)
    by = {}
    ways: tuple[TracksNoiseBy, ...] = ("time", "kind", "both")
    for way in ways:
        recipe = Recipe(phrase="word", noise_by=way, tracks=tracks)
        by[way], _ = track_files(recipe, SpeechFiles(said), places)
    by_time, by_kind, mixed = (by[way]["word"] for way in ways)
    assert not set(by_time) & set(by_kind)
    assert mixed == [by_kind[i] if i % 3 == 2 else path for i, path in enumerate(by_time)]
    assert by["both"]["held_out"] == by["time"]["held_out"] != by["kind"]["held_out"]

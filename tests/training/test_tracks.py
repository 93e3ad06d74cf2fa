"""Augmentation: what it changes, and what it must not change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bluering.training.augment import microphone, sound
from bluering.training.augment.negatives import real_negatives
from bluering.training.augment.noises import Noises
from bluering.training.augment.rooms import impulse_responses
from bluering.training.augment.tracks import (
    FRAMES,
    KINDS,
    NOWHERE,
    WORDS,
    Sources,
    features,
    make_tracks,
    read_tracks,
)
from bluering.training.cache import kept, write_arrays
from bluering.training.ship import held_out
from bluering.training.speak import vocoder
from bluering.training.speak.speech import Clip
from bluering.training.speak.voices import RATE, Utterance, tidy

MADE = Noises({}, "time")  # no recordings


def _voice(seconds: float = 0.7, hertz: float = 140.0, engine: str = "espeak") -> Clip:
    """A buzz with harmonics: enough like speech for these tests."""
    t = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * hertz * h * t) / h for h in range(1, 25))
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.02)
    samples = np.rint(buzz * fade / np.abs(buzz).max() * 16000).astype(np.int16)
    return Clip(Utterance("word", engine, "v"), samples)


@pytest.fixture(scope="module")
def sources() -> Sources:
    clips = [_voice(0.5 + 0.1 * n, 110 + 30 * n) for n in range(4)]
    noise = np.random.default_rng(1).normal(size=10 * RATE).astype(np.float32) * 0.1
    noises = Noises({"speech": [noise], "rain": [noise]}, "time")
    return Sources(clips, clips, clips, noises, impulse_responses(1, 3))


@pytest.mark.parametrize("kind", KINDS)
def test_tracks_are_reproducible(sources: Sources, kind: str) -> None:
    first, again, other = (make_tracks(sources, kind, 3, [seed]) for seed in (1, 1, 2))
    assert first.features.shape == (3, FRAMES, 40)
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)
    assert (first.end == NOWHERE).all() == (kind not in WORDS)


def test_renditions_share_their_speech_but_not_their_noise(sources: Sources) -> None:
    tracks = make_tracks(sources, "word", 5, [3], renditions=2)
    for places in (tracks.clip, tracks.start, tracks.end):
        assert places[0] == places[1]
        assert places[2] == places[3]
    assert len(set(tracks.start.tolist())) == 3
    assert len(set(tracks.snr.tolist())) == 5
    assert len({features.tobytes() for features in tracks.features}) == 5


def test_tracks_draw_only_from_the_subset(sources: Sources) -> None:
    drawn = [set(make_tracks(sources, "word", 30, [s], 1, 2).clip.tolist()) for s in range(6)]
    assert all(len(clips) == 2 for clips in drawn)
    assert set.union(*drawn) == {0, 1, 2, 3}
    assert len(set(make_tracks(sources, "word", 30, [1], 1, 9).clip.tolist())) == 4


def test_the_word_is_where_its_label_says(monkeypatch) -> None:
    monkeypatch.setattr("bluering.training.augment.tracks._Maker._context", lambda *_: None)
    quiet = Sources([_voice()], [_voice()], [_voice()], MADE, impulse_responses(1, 2))
    tracks = make_tracks(quiet, "word", 30, [4])
    clear = [i for i in range(30) if tracks.snr[i] > 25]
    assert len(clear) >= 5
    for i in clear:
        loud = tracks.features[i].astype(float).mean(axis=1)
        inside = loud[tracks.start[i] + 3 : tracks.end[i] - 3].mean()
        before = loud[max(0, tracks.start[i] - 40) : tracks.start[i] - 3].mean()
        assert inside > before, i
        assert 0 < tracks.start[i] < tracks.end[i] <= FRAMES - 20


@pytest.mark.parametrize("seed", range(8))
def test_a_band_limit_keeps_the_band(seed: int) -> None:
    noise = np.random.default_rng(1).normal(size=4 * RATE).astype(np.float32)
    limited = microphone.narrow_band(noise, np.random.default_rng(seed))
    power = np.abs(np.fft.rfft(limited)) ** 2
    hertz = np.linspace(0, RATE / 2, len(power))

    def level(low: float, high: float) -> float:
        return 10 * np.log10(power[(hertz > low) & (hertz < high)].mean())

    assert level(500, 1000) - level(1000, 2000) == pytest.approx(0, abs=1)
    assert level(6000, 8000) < level(1000, 2000) - 15


def test_a_share_of_the_tracks_is_band_limited(sources: Sources) -> None:
    def edge(narrow: float) -> NDArray[np.float64]:
        """The ratio of upper to lower channels, by track."""
        tracks = make_tracks(replace(sources, narrow=narrow), "close", 20, [5])
        return tracks.features[..., 34:].mean((1, 2)) / tracks.features[..., 8:16].mean((1, 2))

    assert edge(1.0).mean() < 0.7 * edge(0.0).mean()
    assert 3 <= np.count_nonzero(edge(0.4) < 0.6 * np.median(edge(0.0))) <= 14


def test_close_words_have_no_room_and_little_noise(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise AssertionError("there is a room")

    monkeypatch.setattr("bluering.training.augment.tracks._Maker._in_room", no_room)
    tracks = make_tracks(sources, "close", 12, [5])
    assert (tracks.snr > 20).all()
    with pytest.raises(AssertionError, match="there is a room"):
        make_tracks(sources, "word", 12, [5])


def test_tracks_can_be_selected_by_clip(sources: Sources) -> None:
    tracks = make_tracks(sources, "word", 12, [6])
    some = tracks.of_clips([False, True, False, True])
    kept = np.isin(tracks.clip, [1, 3])
    assert 0 < len(some) < len(tracks)
    assert np.array_equal(some.clip, tracks.clip[kept])
    assert np.array_equal(some.features, tracks.features[kept])


def test_a_stretched_sound_keeps_its_pitch_and_a_resampled_one_doesn_t() -> None:
    x = _voice(1.0, 200.0).samples.astype(np.float32) / 32768
    longer = sound.stretched(x, 1.4)
    assert len(longer) == pytest.approx(1.4 * len(x), rel=0.02)
    assert held_out.pitch(_int16(longer)) == pytest.approx(200, rel=0.03)
    higher = sound.resampled(x, 1.25)
    assert len(higher) == pytest.approx(len(x) / 1.25, rel=0.01)
    assert held_out.pitch(_int16(higher)) == pytest.approx(250, rel=0.03)


def test_a_whisper_has_no_pitch_and_a_shout_stays_in_range() -> None:
    rng = np.random.default_rng(1)
    x = _voice(1.0, 200.0).samples.astype(np.float32) / 32768
    assert held_out.pitch(_int16(x)) == pytest.approx(200, rel=0.03)
    assert held_out.pitch(_int16(sound.whispered(x, rng))) == 0.0
    assert np.abs(sound.shouted(x, rng)).max() <= 1.0


def test_another_voice_has_another_pitch_and_rhythm() -> None:
    x = _voice(1.0, 200.0).samples.astype(np.float32) / 32768
    said = [vocoder.another_voice(x, np.random.default_rng(seed)) for seed in range(12)]
    again = vocoder.another_voice(x, np.random.default_rng(3))
    assert np.array_equal(again, said[3])
    assert all(np.isfinite(y).all() and np.abs(y).max() > 0.01 for y in said)
    pitches = [held_out.pitch(_int16(y / np.abs(y).max())) for y in said]
    assert max(pitches) > 1.5 * min(p for p in pitches if p)
    lengths = [len(y) / len(x) for y in said]
    assert 0.4 < min(lengths) < 0.9 < 1.1 < max(lengths) < 2.3


def test_the_vocoder_takes_silence_and_very_short_clips() -> None:
    rng = np.random.default_rng(1)
    for length in (1, 100, 3000):
        assert np.isfinite(vocoder.another_voice(np.zeros(length, np.float32), rng)).all()


def test_a_long_recording_changes_its_speaker() -> None:
    x = np.tile(_voice(1.0, 200.0).samples, 30).astype(np.float32) / 32768
    y = sound.speakers(x, np.random.default_rng(1))
    assert 0.6 * len(x) < len(y) < 1.6 * len(x)
    pieces = np.array_split(y, 12)
    pitches = {round(held_out.pitch(_int16(piece / np.abs(piece).max()))) for piece in pieces}
    assert len(pitches) > 3


def test_no_part_is_taken_of_words_with_a_lead_in() -> None:
    """The second half of "hey computer" is the word."""
    led = Clip(replace(_voice().utterance, lead="hey"), np.full(20_000, 9000, np.int16))
    alone = _voice(0.6)
    tracks = make_tracks(
        Sources([led, alone], [], [alone], MADE, impulse_responses(1, 2)), "part", 12, [1]
    )
    assert set(tracks.clip.tolist()) == {1}


def test_a_part_is_the_first_part_or_at_most_the_second_half() -> None:
    rng = np.random.default_rng(1)
    rising = np.arange(16_000, dtype=np.float32)
    parts = [sound.part(rising, rng) for _ in range(200)]
    heads = [said for said in parts if said[0] == 0]
    tails = [said for said in parts if said[0] > 0]
    assert min(len(heads), len(tails)) > 50
    assert 0.34 < min(map(len, heads)) / 16_000 < max(map(len, heads)) / 16_000 < 0.63
    assert 0.24 < min(map(len, tails)) / 16_000 < max(map(len, tails)) / 16_000 < 0.51
    assert all(said[-1] == 0 for said in parts)
    assert np.array_equal(rising, np.arange(16_000))


def test_what_is_recorded_stays_within_int16() -> None:
    rng = np.random.default_rng(1)
    x = _voice().samples.astype(np.float32)
    for _ in range(30):
        samples = microphone.record(x * rng.uniform(0.0001, 10), rng)
        assert samples.dtype == np.int16
        assert np.abs(samples.astype(int)).max() <= 32767


def test_speech_is_trimmed_and_levelled() -> None:
    spoken = _voice().samples.astype(np.float32)
    padded = np.concatenate([np.zeros(8000, np.float32), spoken, np.zeros(8000, np.float32)])
    tidied = tidy(padded / 7, RATE)
    assert len(tidied) == pytest.approx(len(spoken), abs=400)
    assert np.abs(tidied.astype(int)).max() == 16383
    assert len(tidy(np.zeros(1000, np.float32), RATE)) == 0


def test_features_are_the_same_in_pieces() -> None:
    from bluering.validate.reference import FrontEnd

    x = np.random.default_rng(1).integers(-3000, 3000, 40 * RATE).astype(np.int16)
    assert np.array_equal(features(x), FrontEnd().push(x))


def test_tracks_are_loaded_as_saved(tmp_path: Path, sources: Sources) -> None:
    made = make_tracks(sources, "word", 2, [1])
    path = kept(tmp_path / "a" / "t.npz", lambda: made, write_arrays)
    again = kept(path, lambda: pytest.fail("it is there"), write_arrays)
    read = read_tracks([path, again])
    assert len(read) == 4
    assert np.array_equal(read.features[2:], made.features)
    assert np.array_equal(read.level[:2], made.level)
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_leaves_no_file_behind(tmp_path: Path) -> None:
    def write(_made: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        kept(tmp_path / "t.npz", lambda: 1, write)
    assert list(tmp_path.iterdir()) == []


def test_the_negatives_are_split_by_speaker(dev_corpus: Path) -> None:
    import csv

    negatives = real_negatives(dev_corpus / "manifest.csv")
    assert (
        0.3 < sum(n.seconds for n in negatives if n.learn) / sum(n.seconds for n in negatives) < 0.7
    )
    with (dev_corpus / "manifest.csv").open(newline="") as file:
        speakers = {dev_corpus / r["path"]: r["speaker"] for r in csv.DictReader(file)}
    halves: dict[str, set[bool]] = {}
    for negative in negatives:
        halves.setdefault(speakers[negative.path] or str(negative.path), set()).add(negative.learn)
    assert all(len(half) == 1 for half in halves.values())


def _int16(x: sound.Sound) -> np.ndarray:
    return np.rint(np.clip(x, -1, 1) * 32767).astype(np.int16)

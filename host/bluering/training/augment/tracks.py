"""Tracks: stretches of audio as features, with the place of the word as their label."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.training.augment import embeddings, microphone, sound
from bluering.training.augment.features import features
from bluering.training.augment.noises import Noises
from bluering.training.augment.sound import Sound
from bluering.training.cache import read_arrays
from bluering.training.speak.speech import Clip
from bluering.training.speak.voices import RATE

FRAMES = 390  # rows of features in a track
RUN_IN = 60  # rows before them, in which the front end adapts to the noise
_HOP = RATE // 100
_LENGTH = (FRAMES + RUN_IN + 2) * _HOP
MOMENTS = 47  # embeddings of a track with its run-in
_EARLIEST_START = 1.3  # seconds into the track, which fill the network's receptive field
_AFTER = 0.25  # seconds of track after a word, at least

_CLOSE_SNR = (22.0, 80.0)  # dB

NOWHERE = -1000  # the place of the word in a track without it

KINDS = ("word", "close", "look_alike", "part", "sentence", "noise")
WORDS = ("word", "close")  # somewhere in a room; close to the microphone, in silence

_VOCODED_TALK = 0.15  # the share of sentences changed by WORLD

# How often each engine is drawn: apart from people, Kokoro sounds the most human.
_ENGINE_SHARE = {"kokoro": 0.72, "espeak": 0.28, "flite": 0.28, "recorded": 0.72}


@dataclass
class Sources:
    """What tracks are made of."""

    word: Sequence[Clip]
    look_alike: Sequence[Clip]
    sentence: Sequence[Clip]
    noises: Noises
    rooms: list[Sound]
    narrow: float = 0.0  # the share of tracks whose speech is band-limited


@dataclass(frozen=True)
class Tracks:
    """Features and labels. features: (n, FRAMES, 40) uint8, int8 + 128; start, end: of the word, in
    rows; clip: index of the clip in its sources, -1 for none; snr: of speech to noise, dB; level:
    of the highest sample, dBFS; embedded: (n, MOMENTS, 96), embeddings of the track with its
    run-in."""

    features: NDArray[np.uint8]
    start: NDArray[np.int16]
    end: NDArray[np.int16]
    clip: NDArray[np.int32]
    snr: NDArray[np.float32]
    level: NDArray[np.float32]
    embedded: embeddings.Embeddings

    @classmethod
    def joined(cls, parts: Sequence["Tracks"]) -> "Tracks":
        """Concatenate."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def of_clips(self, wanted: Sequence[bool]) -> "Tracks":
        """Those with clips of the sources for which `wanted` is true."""
        which = np.asarray(wanted, bool)[self.clip]
        return Tracks(*(getattr(self, f.name)[which] for f in fields(Tracks)))

    def __len__(self) -> int:
        return len(self.features)


def read_tracks(paths: Sequence[Path]) -> Tracks:
    """The tracks of several files, concatenated."""
    return Tracks.joined([read_arrays(Tracks, path) for path in paths])


def make_tracks(
    sources: Sources,
    kind: str,
    count: int,
    seed: Sequence[int],
    renditions: int = 1,
    subset: int | None = None,
) -> Tracks:
    """`count` tracks of one of KINDS; the same for the same arguments.

    renditions: how many tracks to make of the same speech, each with another room and noise.
    subset: how many clips of a kind to draw from, None for all; each is then used in several
    voices, which saves time, as WORLD's analysis of a clip is most of the work.
    """
    maker = _Maker(sources, np.random.default_rng(list(seed)), subset)
    made: list[_Recorded] = []
    while len(made) < count:
        speech = maker.speech(kind)
        made += [maker.recorded(speech, kind) for _ in range(min(renditions, count - len(made)))]
    rows, starts, ends, clips, snrs, levels, embedded = zip(*made, strict=True)
    return Tracks(
        np.array(rows, np.uint8).reshape(count, FRAMES, 40),
        np.array(starts, np.int16),
        np.array(ends, np.int16),
        np.array(clips, np.int32),
        np.array(snrs, np.float32),
        np.array(levels, np.float32),
        np.array(embedded, np.float16).reshape(count, MOMENTS, embeddings.SIZE),
    )


@dataclass(frozen=True)
class _Dry:
    """The dry speech of a track. start, end: of the word, in rows."""

    x: Sound
    start: int
    end: int
    clip: int


# Rows, start and end of the word in rows, clip, SNR, level, embeddings.
_Recorded = tuple[NDArray[np.uint8], int, int, int, float, float, embeddings.Embeddings]


class _Maker:
    def __init__(self, sources: Sources, rng: np.random.Generator, subset: int | None) -> None:
        self._sources = sources
        self._rng = rng
        self._word = _weights(sources.word, subset, rng)
        # A part of a word isn't the word, but a part of "hey" and the word may well be.
        alone = self._word * [not clip.utterance.lead for clip in sources.word]
        self._alone = alone / alone.sum() if alone.any() else self._word
        self._look_alike = _weights(sources.look_alike, subset, rng)
        self._sentence = _weights(sources.sentence, subset, rng)

    def speech(self, kind: str) -> _Dry:
        """The word or something else, with other talk around it."""
        x = np.zeros(_LENGTH, np.float32)
        start = end = NOWHERE
        clip = -1
        if kind in (*WORDS, "look_alike", "part"):
            clip, speech = self._spoken(kind)
            begin = self._place(len(speech))
            _add(x, speech, begin)
            if kind in WORDS:
                start, end = _row(begin), _row(begin + len(speech)) + 1
            self._context(x, begin, begin + len(speech))
        elif kind == "sentence":
            x = self._only_talk()
        return _Dry(x, start, end, clip)

    def recorded(self, speech: _Dry, kind: str) -> _Recorded:
        """The same as a microphone records it."""
        rng, x = self._rng, speech.x
        if kind not in ("noise", "close") and rng.random() < 0.65:
            x = self._in_room(x)
        x = microphone.response(x, rng, self._sources.narrow)
        snr = float(rng.uniform(*_CLOSE_SNR)) if kind == "close" else self._snr()
        x = x + self._noise() * (max(sound.active_rms(x), 1e-4) * 10 ** (-snr / 20))
        samples = microphone.record(x, rng)
        rows = features(samples)[RUN_IN : RUN_IN + FRAMES]
        level = 20 * np.log10(max(1, int(np.abs(samples.astype(np.int32)).max())) / 32768)
        embedded = embeddings.embeddings(samples)
        return rows, speech.start, speech.end, speech.clip, snr, float(level), embedded

    def _spoken(self, kind: str) -> tuple[int, Sound]:
        rng, sources = self._rng, self._sources
        pool = sources.look_alike if kind == "look_alike" else sources.word
        weights = {"look_alike": self._look_alike, "part": self._alone}.get(kind, self._word)
        index = int(rng.choice(len(pool), p=weights))
        speech = sound.manner(sound.speaker(_float(pool[index]), rng), rng)
        if kind == "part":
            speech = sound.part(speech, rng)
        longest = int((FRAMES / 100 - _EARLIEST_START - _AFTER - 0.1) * RATE)
        return index, speech[:longest]

    def _place(self, length: int) -> int:
        first = RUN_IN / 100 + _EARLIEST_START
        last = (RUN_IN + FRAMES) / 100 - length / RATE - _AFTER
        return int(self._rng.uniform(min(first, last), last) * RATE)

    def _context(self, x: Sound, begin: int, end: int) -> None:
        """Perhaps a command after it and a sentence before it."""
        rng = self._rng
        if rng.random() < 0.4:
            _add(x, self._sentence_clip(), end + int(rng.exponential(0.2) * RATE))
        if rng.random() < 0.3:
            speech = self._sentence_clip()
            _add(x, speech, begin - int(rng.uniform(0.0, 0.6) * RATE) - len(speech))

    def _only_talk(self) -> Sound:
        x = np.zeros(_LENGTH, np.float32)
        at = -int(self._rng.uniform(0, 2) * RATE)
        while at < len(x):
            speech = self._sentence_clip()
            _add(x, speech, at)
            at += len(speech) + int(self._rng.exponential(0.25) * RATE)
        return x

    def _sentence_clip(self) -> Sound:
        index = int(self._rng.choice(len(self._sources.sentence), p=self._sentence))
        speech = sound.speaker(_float(self._sources.sentence[index]), self._rng, _VOCODED_TALK)
        return speech * np.float32(self._rng.uniform(0.5, 1.3))

    def _in_room(self, x: Sound) -> Sound:
        from scipy.signal import fftconvolve

        response = self._sources.rooms[int(self._rng.integers(len(self._sources.rooms)))]
        return np.asarray(fftconvolve(x, response)[: len(x)], np.float32)

    def _snr(self) -> float:
        kind = self._rng.random()
        low, high = (-2, 14) if kind < 0.5 else (14, 30) if kind < 0.75 else (30, 80)
        return float(self._rng.uniform(low, high))

    def _noise(self) -> Sound:
        """Noise with an RMS of 1."""
        rng = self._rng
        noise = self._sources.noises.drawn(_LENGTH, self._only_talk, rng)
        noise = microphone.response(noise, rng) if rng.random() < 0.3 else noise
        return noise / np.float32(sound.rms(noise) + 1e-6)


def _weights(
    clips: Sequence[Clip], subset: int | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    """The probability of each clip, 0 outside the subset."""
    engines = [clip.utterance.engine for clip in clips]
    share = np.array([_ENGINE_SHARE[e] / engines.count(e) for e in engines])
    if subset is not None and subset < len(clips):
        chosen = rng.choice(len(clips), subset, replace=False, p=share / share.sum())
        share = np.isin(np.arange(len(clips)), chosen).astype(np.float64)
    return share / share.sum() if len(clips) else share


def _float(clip: Clip) -> Sound:
    return clip.samples.astype(np.float32) / 32768


def _add(x: Sound, speech: Sound, at: int) -> None:
    """Add `speech` to x from sample `at` on, as far as it fits."""
    begin, end = max(0, at), min(len(x), at + len(speech))
    if begin < end:
        x[begin:end] += speech[begin - at : end - at]


def _row(sample: int) -> int:
    return sample // _HOP - RUN_IN

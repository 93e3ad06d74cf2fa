"""The stage "augment": stretches of listening, as features, with the place of the word in them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.training.augment import embeddings, sound
from bluering.training.augment.features import features
from bluering.training.augment.noises import Noises
from bluering.training.augment.sound import Sound
from bluering.training.cache import read_arrays
from bluering.training.speak.speech import Clip
from bluering.training.speak.voices import RATE

FRAMES = 390  # rows of features in a track
RUN_IN = 60  # rows before them, in which the front end gets used to the noise
_HOP = RATE // 100
_LENGTH = (FRAMES + RUN_IN + 2) * _HOP
MOMENTS = 47  # embeddings of a track and its run-in
_EARLIEST_START = 1.3  # seconds into the track, so that the network's memory is full
_AFTER = 0.25  # seconds of track that follow a word at least

_CLOSE_SNR = (22.0, 80.0)  # dB

NOWHERE = -1000  # the place of the word in a track that has none

KINDS = ("word", "close", "look_alike", "part", "sentence", "noise")
WORDS = ("word", "close")  # said somewhere in a room; said into the microphone, in silence

_VOCODED_TALK = 0.15  # the share of sentences that WORLD says anew

# How often each engine speaks in a track: Kokoro is the most human, but for people.
_ENGINE_SHARE = {"kokoro": 0.72, "espeak": 0.28, "flite": 0.28, "recorded": 0.72}


@dataclass
class Sources:
    """What tracks are made of."""

    word: Sequence[Clip]
    look_alike: Sequence[Clip]
    sentence: Sequence[Clip]
    noises: Noises
    rooms: list[Sound]
    narrow: float = 0.0  # the share of tracks whose speech has a narrow band


@dataclass(frozen=True)
class Tracks:
    """features: (n, FRAMES, 40) uint8, int8 + 128; start, end: of the word, in rows; clip: index
    of the clip in its sources, -1 where there is none; snr: dB of the noise below the speech;
    level: of the highest sample, dB below full scale; embedded: (n, MOMENTS, 96), as embeddings.py
    gives them for the track with its run-in."""

    features: NDArray[np.uint8]
    start: NDArray[np.int16]
    end: NDArray[np.int16]
    clip: NDArray[np.int32]
    snr: NDArray[np.float32]
    level: NDArray[np.float32]
    embedded: embeddings.Embeddings

    @classmethod
    def joined(cls, parts: Sequence["Tracks"]) -> "Tracks":
        """One after the other."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    def of_clips(self, wanted: Sequence[bool]) -> "Tracks":
        """Those of some clips of the sources."""
        which = np.asarray(wanted, bool)[self.clip]
        return Tracks(*(getattr(self, f.name)[which] for f in fields(Tracks)))

    def __len__(self) -> int:
        return len(self.features)


def read_tracks(paths: Sequence[Path]) -> Tracks:
    """The tracks of several files, joined."""
    return Tracks.joined([read_arrays(Tracks, path) for path in paths])


def make_tracks(
    sources: Sources,
    kind: str,
    count: int,
    seed: Sequence[int],
    hearings: int = 1,
    cast: int | None = None,
) -> Tracks:
    """So many tracks of one of KINDS; the same for the same arguments.

    hearings: how often what is said is heard, each time in another room and noise. cast: how many
    clips of a kind have a part, all where it is None; those that have one are said in several
    voices, and taking a clip apart is most of the work.
    """
    maker = _Maker(sources, np.random.default_rng(list(seed)), cast)
    made: list[_Heard] = []
    while len(made) < count:
        said = maker.said(kind)
        made += [maker.heard(said, kind) for _ in range(min(hearings, count - len(made)))]
    rows, starts, ends, clips, snrs, levels, heard = zip(*made, strict=True)
    return Tracks(
        np.array(rows, np.uint8).reshape(count, FRAMES, 40),
        np.array(starts, np.int16),
        np.array(ends, np.int16),
        np.array(clips, np.int32),
        np.array(snrs, np.float32),
        np.array(levels, np.float32),
        np.array(heard, np.float16).reshape(count, MOMENTS, embeddings.SIZE),
    )


@dataclass(frozen=True)
class _Said:
    """What is said in a track, as it leaves the mouths; start, end: of the word, in rows."""

    x: Sound
    start: int
    end: int
    clip: int


# Rows, start and end of the word in rows, clip, SNR, level, embeddings.
_Heard = tuple[NDArray[np.uint8], int, int, int, float, float, embeddings.Embeddings]


class _Maker:
    def __init__(self, sources: Sources, dice: np.random.Generator, cast: int | None) -> None:
        self._sources = sources
        self._dice = dice
        self._word = _weights(sources.word, cast, dice)
        # What is left of a word that was cut is none; what is left of "hey" and a word may be.
        alone = self._word * [not clip.utterance.lead for clip in sources.word]
        self._alone = alone / alone.sum() if alone.any() else self._word
        self._look_alike = _weights(sources.look_alike, cast, dice)
        self._sentence = _weights(sources.sentence, cast, dice)

    def said(self, kind: str) -> _Said:
        """The word, or what isn't it, among other talk."""
        x = np.zeros(_LENGTH, np.float32)
        start = end = NOWHERE
        clip = -1
        if kind in (*WORDS, "look_alike", "part"):
            clip, said = self._spoken(kind)
            begin = self._place(len(said))
            _add(x, said, begin)
            if kind in WORDS:
                start, end = _row(begin), _row(begin + len(said)) + 1
            self._context(x, begin, begin + len(said))
        elif kind == "sentence":
            x = self._only_talk()
        return _Said(x, start, end, clip)

    def heard(self, said: _Said, kind: str) -> _Heard:
        """What a microphone makes of it."""
        dice, x = self._dice, said.x
        if kind not in ("noise", "close") and dice.random() < 0.65:
            x = self._in_room(x)
        x = sound.transmitted(x, dice, self._sources.narrow)
        snr = float(dice.uniform(*_CLOSE_SNR)) if kind == "close" else self._snr()
        x = x + self._noise() * (max(sound.active_rms(x), 1e-4) * 10 ** (-snr / 20))
        heard = sound.recorded(x, dice)
        rows = features(heard)[RUN_IN : RUN_IN + FRAMES]
        level = 20 * np.log10(max(1, int(np.abs(heard.astype(np.int32)).max())) / 32768)
        embedded = embeddings.embeddings(heard)
        return rows, said.start, said.end, said.clip, snr, float(level), embedded

    def _spoken(self, kind: str) -> tuple[int, Sound]:
        dice, sources = self._dice, self._sources
        pool = sources.look_alike if kind == "look_alike" else sources.word
        weights = {"look_alike": self._look_alike, "part": self._alone}.get(kind, self._word)
        index = int(dice.choice(len(pool), p=weights))
        said = sound.manner(sound.speaker(_float(pool[index]), dice), dice)
        if kind == "part":
            said = sound.part(said, dice)
        longest = int((FRAMES / 100 - _EARLIEST_START - _AFTER - 0.1) * RATE)
        return index, said[:longest]

    def _place(self, length: int) -> int:
        first = RUN_IN / 100 + _EARLIEST_START
        last = (RUN_IN + FRAMES) / 100 - length / RATE - _AFTER
        return int(self._dice.uniform(min(first, last), last) * RATE)

    def _context(self, x: Sound, begin: int, end: int) -> None:
        """A command after it, a sentence before it, or silence."""
        dice = self._dice
        if dice.random() < 0.4:
            _add(x, self._sentence_clip(), end + int(dice.exponential(0.2) * RATE))
        if dice.random() < 0.3:
            said = self._sentence_clip()
            _add(x, said, begin - int(dice.uniform(0.0, 0.6) * RATE) - len(said))

    def _only_talk(self) -> Sound:
        x = np.zeros(_LENGTH, np.float32)
        at = -int(self._dice.uniform(0, 2) * RATE)
        while at < len(x):
            said = self._sentence_clip()
            _add(x, said, at)
            at += len(said) + int(self._dice.exponential(0.25) * RATE)
        return x

    def _sentence_clip(self) -> Sound:
        index = int(self._dice.choice(len(self._sources.sentence), p=self._sentence))
        said = sound.speaker(_float(self._sources.sentence[index]), self._dice, _VOCODED_TALK)
        return said * np.float32(self._dice.uniform(0.5, 1.3))

    def _in_room(self, x: Sound) -> Sound:
        from scipy.signal import fftconvolve

        response = self._sources.rooms[int(self._dice.integers(len(self._sources.rooms)))]
        return np.asarray(fftconvolve(x, response)[: len(x)], np.float32)

    def _snr(self) -> float:
        kind = self._dice.random()
        low, high = (-2, 14) if kind < 0.5 else (14, 30) if kind < 0.75 else (30, 80)
        return float(self._dice.uniform(low, high))

    def _noise(self) -> Sound:
        """With an RMS of 1."""
        dice = self._dice
        noise = self._sources.noises.drawn(_LENGTH, self._only_talk, dice)
        noise = sound.transmitted(noise, dice) if dice.random() < 0.3 else noise
        return noise / np.float32(sound.rms(noise) + 1e-6)


def _weights(
    clips: Sequence[Clip], cast: int | None, dice: np.random.Generator
) -> NDArray[np.float64]:
    """How likely each clip is; 0 where it isn't of the cast."""
    engines = [clip.utterance.engine for clip in clips]
    share = np.array([_ENGINE_SHARE[e] / engines.count(e) for e in engines])
    if cast is not None and cast < len(clips):
        chosen = dice.choice(len(clips), cast, replace=False, p=share / share.sum())
        share = np.isin(np.arange(len(clips)), chosen).astype(np.float64)
    return share / share.sum() if len(clips) else share


def _float(clip: Clip) -> Sound:
    return clip.samples.astype(np.float32) / 32768


def _add(x: Sound, said: Sound, at: int) -> None:
    """Mix in what of it falls into x."""
    begin, end = max(0, at), min(len(x), at + len(said))
    if begin < end:
        x[begin:end] += said[begin - at : end - at]


def _row(sample: int) -> int:
    return sample // _HOP - RUN_IN

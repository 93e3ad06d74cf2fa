"""A clip as somebody else says it, in another mood: WORLD (Morise, Yokomori and Ozawa, 2016).

The voice is taken apart into pitch, vocal tract and breath, each is changed, and it is put together
again. Synthetic voices all read aloud; people call, sing, mumble, and start a word too softly.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.training.speak.voices import RATE

_Floats = NDArray[np.floating[Any]]

_FRAME = 5.0  # ms
_LOWEST, _HIGHEST = 60.0, 650.0  # Hz, of a changed pitch
_SEMITONE = 2 ** (1 / 12)


@dataclass(frozen=True)
class Taken:
    """A clip taken apart, in frames of 5 ms."""

    pitch: NDArray[np.float64]  # Hz, 0 where there is none
    tract: NDArray[np.float32]  # (frames, bins), power
    breath: NDArray[np.float32]  # (frames, bins), 0..1


def taken_apart(x: _Floats) -> Taken:
    """Of a clip at RATE; remembered, as it takes longer than all that follows."""
    return _taken_apart(x.astype(np.float32).tobytes())


@lru_cache(maxsize=1200)
def _taken_apart(sound: bytes) -> Taken:
    import pyworld

    samples = np.frombuffer(sound, np.float32).astype(np.float64)
    rough, times = pyworld.dio(samples, RATE, f0_floor=60.0, f0_ceil=600.0, frame_period=_FRAME)
    pitch = pyworld.stonemask(samples, rough, times, RATE)
    tract = pyworld.cheaptrick(samples, pitch, times, RATE)
    breath = pyworld.d4c(samples, pitch, times, RATE, threshold=0.6)
    return Taken(pitch, tract.astype(np.float32), breath.astype(np.float32))


def another_voice(x: _Floats, dice: np.random.Generator) -> NDArray[np.float32]:
    """The clip with another pitch and melody, vocal tract, rhythm, loudness and breath."""
    taken = taken_apart(x)
    source = _rhythm(len(taken.pitch), dice)
    pitch = _melody(_at(taken.pitch[:, None], np.rint(source))[:, 0], dice)
    tract = _tract(_at(taken.tract, source), dice) * _loudness(len(source), dice)[:, None]
    breath = np.clip(_at(taken.breath, source), 1e-6, 1.0) ** dice.uniform(0.5, 1.3)
    if dice.random() < 0.04:
        pitch = np.zeros_like(pitch)  # whispered
    import pyworld

    pitch, tract, breath = (np.ascontiguousarray(x, np.float64) for x in (pitch, tract, breath))
    return pyworld.synthesize(pitch, tract, breath, RATE, _FRAME).astype(np.float32)


def _rhythm(frames: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """Which frame is heard when: slower here, faster there."""
    tempo = dice.uniform(0.7, 1.5) if dice.random() < 0.6 else 1.0
    knots = int(dice.integers(3, 7))
    lengths = tempo * np.exp(dice.normal(0, 0.22, knots))
    spread = np.interp(np.linspace(0, knots - 1, frames), np.arange(knots), lengths)
    ends = np.cumsum(np.clip(spread, 0.45, 2.2))
    return np.interp(np.arange(1, max(2, int(ends[-1])) + 1), ends, np.arange(frames))


def _melody(pitch: _Floats, dice: np.random.Generator) -> _Floats:
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    semitones = 12 * np.log2(np.where(voiced, pitch, 100.0) / 100.0)
    middle = semitones[voiced].mean()
    place = np.linspace(-1, 1, len(pitch))
    curve = (semitones - middle) * dice.uniform(0.2, 2.0)
    curve += place * dice.normal(0, 3.5)
    curve += dice.normal(0, 2.5) * np.cos(
        np.pi * (place * dice.uniform(0.5, 1.5) + dice.uniform(-1, 1))
    )
    middle += dice.normal(0, 4.5)
    wanted = 100.0 * _SEMITONE ** (middle + curve)
    return np.where(voiced, np.clip(wanted, _LOWEST, _HIGHEST), 0.0)


def _tract(tract: _Floats, dice: np.random.Generator) -> _Floats:
    """Formants moved, lower and higher ones not alike, and another tilt."""
    bins = tract.shape[1]
    shift = np.exp(dice.normal(0, 0.11))
    at = np.arange(bins)
    knee = dice.uniform(0.2, 0.5) * bins
    other = shift * np.exp(dice.normal(0, 0.05))
    warped = np.where(at < knee, at / shift, knee / shift + (at - knee) / other)
    warped = np.clip(warped, 0, bins - 1)
    low = np.minimum(warped.astype(int), bins - 2)
    share = warped - low
    moved = tract[:, low] * (1 - share) + tract[:, low + 1] * share
    tilt = dice.normal(0, 4) * (at / bins - 0.3)  # dB
    return moved * 10 ** (tilt / 10)


def _loudness(frames: int, dice: np.random.Generator) -> NDArray[np.float64]:
    """A gain of power that wanders by some dB: syllables swallowed or stressed."""
    knots = int(dice.integers(2, 6))
    wander = dice.normal(0, 3.5, knots)
    return 10 ** (np.interp(np.linspace(0, knots - 1, frames), np.arange(knots), wander) / 10)


def _at(frames: _Floats, places: NDArray[np.float64]) -> _Floats:
    """Rows between rows."""
    low = np.clip(places.astype(int), 0, max(0, len(frames) - 2))
    share = np.clip(places - low, 0, 1)[:, None]
    high = np.minimum(low + 1, len(frames) - 1)
    return frames[low] * (1 - share) + frames[high] * share

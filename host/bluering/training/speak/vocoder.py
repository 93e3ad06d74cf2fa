"""A clip in another voice and mood, by the vocoder WORLD (Morise, Yokomori and Ozawa, 2016).

The voice is analysed into pitch, spectral envelope and aperiodicity; each is changed before it is
synthesised again. Synthetic voices all read aloud; people call, sing, mumble, and start too softly.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.training.speak.voices import RATE

_Floats = NDArray[np.floating[Any]]

_FRAME = 5.0  # ms
_LOWEST, _HIGHEST = 60.0, 650.0  # Hz, limits of a changed pitch
_SEMITONE = 2 ** (1 / 12)


@dataclass(frozen=True)
class Analysis:
    """WORLD's parameters of a clip, in frames of 5 ms."""

    pitch: NDArray[np.float64]  # Hz, 0 where unvoiced
    envelope: NDArray[np.float32]  # (frames, bins), power
    aperiodicity: NDArray[np.float32]  # (frames, bins), 0..1


def analyse(x: _Floats) -> Analysis:
    """Of a clip at RATE; cached, as it takes longer than everything that follows."""
    return _analyse(x.astype(np.float32).tobytes())


@lru_cache(maxsize=1200)
def _analyse(sound: bytes) -> Analysis:
    import pyworld

    samples = np.frombuffer(sound, np.float32).astype(np.float64)
    rough, times = pyworld.dio(samples, RATE, f0_floor=60.0, f0_ceil=600.0, frame_period=_FRAME)
    pitch = pyworld.stonemask(samples, rough, times, RATE)
    envelope = pyworld.cheaptrick(samples, pitch, times, RATE)
    aperiodicity = pyworld.d4c(samples, pitch, times, RATE, threshold=0.6)
    return Analysis(pitch, envelope.astype(np.float32), aperiodicity.astype(np.float32))


def another_voice(x: _Floats, rng: np.random.Generator) -> NDArray[np.float32]:
    """The clip with another pitch, intonation, vocal tract, rhythm, loudness and breathiness."""
    old = analyse(x)
    source = _rhythm(len(old.pitch), rng)
    pitch = _intonation(_at(old.pitch[:, None], np.rint(source))[:, 0], rng)
    envelope = _vocal_tract(_at(old.envelope, source), rng) * _loudness(len(source), rng)[:, None]
    aperiodicity = np.clip(_at(old.aperiodicity, source), 1e-6, 1.0) ** rng.uniform(0.5, 1.3)
    if rng.random() < 0.04:
        pitch = np.zeros_like(pitch)  # whispered
    import pyworld

    parts = (np.ascontiguousarray(x, np.float64) for x in (pitch, envelope, aperiodicity))
    pitch, envelope, aperiodicity = parts
    return pyworld.synthesize(pitch, envelope, aperiodicity, RATE, _FRAME).astype(np.float32)


def _rhythm(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """For each new frame, the old one: slower here, faster there."""
    tempo = rng.uniform(0.7, 1.5) if rng.random() < 0.6 else 1.0
    knots = int(rng.integers(3, 7))
    lengths = tempo * np.exp(rng.normal(0, 0.22, knots))
    spread = np.interp(np.linspace(0, knots - 1, frames), np.arange(knots), lengths)
    ends = np.cumsum(np.clip(spread, 0.45, 2.2))
    return np.interp(np.arange(1, max(2, int(ends[-1])) + 1), ends, np.arange(frames))


def _intonation(pitch: _Floats, rng: np.random.Generator) -> _Floats:
    voiced = pitch > 0
    if not voiced.any():
        return pitch
    semitones = 12 * np.log2(np.where(voiced, pitch, 100.0) / 100.0)
    middle = semitones[voiced].mean()
    place = np.linspace(-1, 1, len(pitch))
    curve = (semitones - middle) * rng.uniform(0.2, 2.0)
    curve += place * rng.normal(0, 3.5)
    curve += rng.normal(0, 2.5) * np.cos(
        np.pi * (place * rng.uniform(0.5, 1.5) + rng.uniform(-1, 1))
    )
    middle += rng.normal(0, 4.5)
    wanted = 100.0 * _SEMITONE ** (middle + curve)
    return np.where(voiced, np.clip(wanted, _LOWEST, _HIGHEST), 0.0)


def _vocal_tract(envelope: _Floats, rng: np.random.Generator) -> _Floats:
    """Formants moved, lower and higher ones differently, and another spectral tilt."""
    bins = envelope.shape[1]
    shift = np.exp(rng.normal(0, 0.11))
    at = np.arange(bins)
    knee = rng.uniform(0.2, 0.5) * bins
    other = shift * np.exp(rng.normal(0, 0.05))
    warped = np.where(at < knee, at / shift, knee / shift + (at - knee) / other)
    warped = np.clip(warped, 0, bins - 1)
    low = np.minimum(warped.astype(int), bins - 2)
    share = warped - low
    moved = envelope[:, low] * (1 - share) + envelope[:, low + 1] * share
    tilt = rng.normal(0, 4) * (at / bins - 0.3)  # dB
    return moved * 10 ** (tilt / 10)


def _loudness(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A power gain that drifts by a few dB: syllables swallowed or stressed."""
    knots = int(rng.integers(2, 6))
    wander = rng.normal(0, 3.5, knots)
    return 10 ** (np.interp(np.linspace(0, knots - 1, frames), np.arange(knots), wander) / 10)


def _at(frames: _Floats, places: NDArray[np.float64]) -> _Floats:
    """Frames at fractional places, interpolated."""
    low = np.clip(places.astype(int), 0, max(0, len(frames) - 2))
    share = np.clip(places - low, 0, 1)[:, None]
    high = np.minimum(low + 1, len(frames) - 1)
    return frames[low] * (1 - share) + frames[high] * share

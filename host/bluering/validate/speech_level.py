"""Active speech level by ITU-T P.56 (12/2011), method B, and from it the end of a word.

Not applied: the optional 200 to 5500 Hz band filter. Levels are in dB relative to a full-scale
constant (dBov): a full-scale sine is at -3 dB.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from bluering.samples import Samples
from bluering.sound_files import RATE

_TIME_CONSTANT = 0.03  # seconds, of each of the two smoothing stages
_HANGOVER = 0.2  # seconds
MARGIN_DB = 15.9  # between the active level and the threshold of activity
_THRESHOLDS = 15  # one per bit of a 16-bit sample

_FRAME = RATE // 100
_RUN = 3  # frames of 10 ms: shorter bursts are clicks, not the end of a word


@dataclass(frozen=True)
class SpeechLevel:
    """Active level in dBov and the share of time that is active, 0..1."""

    level_db: float
    activity: float


def active_speech_level(samples: Samples | NDArray[np.float64]) -> SpeechLevel | None:
    """The active speech level of a recording at 16 kHz, in int16 steps; None when nothing in it
    is active."""
    x = samples.astype(np.float64) / 32768.0
    energy = float(np.dot(x, x))
    if energy == 0.0:
        return None
    envelope = _envelope(x)
    thresholds = 2.0 ** np.arange(-_THRESHOLDS, 0)
    active = np.array([_active_samples(envelope, c) for c in thresholds])
    levels, margins = [], []
    for count, threshold in zip(active, thresholds, strict=True):
        if count == 0:
            break
        level = 10 * np.log10(energy / count)
        levels.append(level)
        margins.append(level - 20 * np.log10(threshold))
    level = _level_at_margin(levels, margins)
    if level is None:
        return None
    return SpeechLevel(level, min(1.0, energy / (len(x) * 10 ** (level / 10))))


def word_end(samples: Samples, level: SpeechLevel) -> int:
    """The sample index where the last active speech ends, for a clip of one word.

    The end of the last three consecutive 10 ms frames whose RMS is within P.56's margin
    (15.9 dB) of the active level. Plain frames instead of P.56's own envelope, because that one
    and its hangover trail the sound by 0.1 to 0.3 s.
    """
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    rms = np.sqrt((frames / 32768.0).__pow__(2).mean(axis=1))
    loud = rms >= 10 ** ((level.level_db - MARGIN_DB) / 20)
    runs = np.flatnonzero(np.convolve(loud, np.ones(_RUN), "valid") == _RUN)
    last = int(runs[-1]) + _RUN if len(runs) else len(frames)
    return last * _FRAME


def _envelope(x: NDArray[np.float64]) -> NDArray[np.float64]:
    g = np.exp(-1.0 / (RATE * _TIME_CONSTANT))
    once = lfilter([1 - g], [1, -g], np.abs(x))
    return np.asarray(lfilter([1 - g], [1, -g], once))


def _active_samples(envelope: NDArray[np.float64], threshold: float) -> int:
    """Samples at or above the threshold, each prolonged by the hangover."""
    index = np.arange(len(envelope))
    last = np.maximum.accumulate(np.where(envelope >= threshold, index, -len(envelope)))
    return int(np.count_nonzero(index - last < round(_HANGOVER * RATE)))


def _level_at_margin(levels: list[float], margins: list[float]) -> float | None:
    """The level where level minus threshold equals the margin, between the two nearest."""
    for upper in range(1, len(levels)):
        if margins[upper] <= MARGIN_DB <= margins[upper - 1]:
            span = margins[upper - 1] - margins[upper]
            share = (margins[upper - 1] - MARGIN_DB) / span if span else 0.0
            return levels[upper - 1] + share * (levels[upper] - levels[upper - 1])
    return None

"""A clip as a speaker would hear it: with a lead-in and a tail, in a room, in noise."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from bluering.samples import Samples
from bluering.sound_files import RATE
from bluering.validate.speech_level import active_speech_level

LEAD_IN = 2.0  # seconds before the clip
TAIL = 1.0  # seconds after it
_QUIET = 10.0  # int16 steps RMS
_INAUDIBLE_DB = -60.0  # a stretch of noise below this level is a pause, not noise


def placed(clip: Samples) -> NDArray[np.float64]:
    """The clip between its lead-in and tail of nothing, in int16 steps."""
    return np.pad(clip.astype(np.float64), (round(LEAD_IN * RATE), round(TAIL * RATE)))


def in_room(speech: NDArray[np.float64], response: NDArray[np.float64]) -> NDArray[np.float64]:
    """What arrives at the microphone, as long as the input; the response starts with the direct
    sound, so nothing is delayed."""
    return np.asarray(fftconvolve(speech, response))[: len(speech)]


def quiet(length: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """The noise of a quiet room and its microphone, -70 dBFS RMS."""
    return generator.normal(0.0, _QUIET, length)


def noise_gain(speech: NDArray[np.float64], noise: Samples, snr_db: float) -> float | None:
    """What to multiply the noise by so that the speech stands `snr_db` above it.

    Speech by its active level (ITU-T P.56), noise by its RMS over the whole stretch. None when
    the stretch is a pause or the speech has no active level.
    """
    level = active_speech_level(speech)
    rms = float(np.sqrt(np.mean(np.square(noise.astype(np.float64))))) / 32768.0
    if level is None or rms == 0.0 or 20 * np.log10(rms) < _INAUDIBLE_DB:
        return None
    return float(10 ** ((level.level_db - snr_db) / 20) / rms)


def to_int16(samples: NDArray[np.float64]) -> Samples:
    """Rounded; turned down as a whole when its peak would clip."""
    peak = float(np.abs(samples).max(initial=0.0))
    scaled = samples * (32767.0 / peak) if peak > 32767.0 else samples
    return np.rint(scaled).astype(np.int16)

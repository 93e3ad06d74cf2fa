"""From the sound at a microphone to int16: frequency response, level, clipping, its own noise."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from bluering.training.augment.sound import Sound
from bluering.training.speak.voices import RATE


def response(x: Sound, rng: np.random.Generator, narrow: float = 0.0) -> Sound:
    """The frequency response of a microphone in its housing. narrow: the probability of a band
    limit as by a telephone."""
    if rng.random() < 0.5:
        band = [rng.uniform(40, 350), rng.uniform(3200, 7900)]
        filters = signal.butter(int(rng.integers(1, 3)), band, "band", fs=RATE, output="sos")
        x = np.asarray(signal.sosfilt(filters, x), np.float32)
    if rng.random() < 0.6:
        padded = fft.next_fast_len(len(x), real=True)  # a prime length takes ten times as long
        spectrum = np.asarray(fft.rfft(x, padded))
        place = np.linspace(0, 1, len(spectrum))
        knots = np.sort(np.concatenate([[0], rng.random(4), [1]]))
        gain = np.interp(place, knots, rng.uniform(-7, 7, 6))
        shaped = np.asarray(fft.irfft(spectrum * 10 ** (gain / 20), padded), np.float32)
        x = shaped[: len(x)]
    return narrow_band(x, rng) if narrow and rng.random() < narrow else x


def narrow_band(x: Sound, rng: np.random.Generator) -> Sound:
    """Band-limited as by a telephone, a headset or a dull voice: little above 2.5 to 4.5 kHz."""
    highest = np.exp(rng.uniform(np.log(2500), np.log(4500)))
    filters = signal.butter(int(rng.integers(4, 11)), highest, fs=RATE, output="sos")
    x = np.asarray(signal.sosfilt(filters, x), np.float32)
    if rng.random() < 0.5:
        filters = signal.butter(2, rng.uniform(100, 400), "high", fs=RATE, output="sos")
        x = np.asarray(signal.sosfilt(filters, x), np.float32)
    return x


def record(x: Sound, rng: np.random.Generator) -> NDArray[np.int16]:
    """int16 samples at a random level, sometimes clipped, with the microphone's own noise."""
    peak = float(np.abs(x).max(initial=0.0)) + 1e-9
    kind = rng.random()
    if kind < 0.08:
        x = np.tanh(x / peak * rng.uniform(1, 6)) * rng.uniform(0.3, 0.98)
    elif kind < 0.30:
        x = np.clip(x / peak * np.exp(rng.uniform(0, 2.3)), -1, 1) * rng.uniform(0.5, 1.0)
    else:
        x = x / peak * 10 ** (rng.uniform(-38, -0.5) / 20)
    x = x + rng.normal(size=len(x)) * 10 ** (rng.uniform(-100, -62) / 20)
    return np.rint(np.clip(x, -1, 1) * 32767).astype(np.int16)

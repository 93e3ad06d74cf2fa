"""Augmentation of waveforms: other speakers and manners, synthetic noise, levels.

All functions take and return floats at 16 kHz, full scale at 1, and draw from the given generator.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from bluering.training.speak import vocoder
from bluering.training.speak.voices import RATE

Sound = NDArray[np.floating[Any]]

# The shares of clips and of long recordings that are changed by WORLD; the others are resampled,
# which takes no time.
_VOCODED, _VOCODED_STREAM = 0.6, 0.3
_HEAD, _TAIL = (0.35, 0.62), (0.5, 0.75)  # where a first part ends, where a last part begins
_GRAIN = 480  # samples, of WSOLA
_SEARCH = 160


def speaker(x: Sound, rng: np.random.Generator, vocoded: float = _VOCODED) -> Sound:
    """The clip by another speaker: another vocal tract, pitch and intonation."""
    if rng.random() < vocoded:
        return vocoder.another_voice(x.astype(np.float32), rng)
    kind = rng.random()
    if kind < 0.70:
        return resampled(x, rng.uniform(0.84, 1.18))
    if kind < 0.80:
        return resampled(x, rng.uniform(1.18, 1.42))  # as high as children's voices
    return resampled(x, rng.uniform(0.74, 0.84)) if kind < 0.87 else x


def speakers(x: Sound, rng: np.random.Generator) -> Sound:
    """A long recording with another speaker every few seconds, sometimes the original one."""
    parts = []
    while len(x):
        length = int(rng.uniform(2.5, 9) * RATE)
        length = len(x) if len(x) - length < RATE else length
        part, x = x[:length], x[length:]
        parts.append(part if rng.random() < 0.25 else speaker(part, rng, _VOCODED_STREAM))
    return np.concatenate(parts)


def part(x: Sound, rng: np.random.Generator) -> Sound:
    """The first or the last part of a word, which isn't the word. The last part is at most half of
    it: in noise "computer" may sound like "puter", and that should wake the device."""
    if rng.random() < 0.5:
        said = x[: int(len(x) * rng.uniform(*_HEAD))].copy()
    else:
        said = x[int(len(x) * rng.uniform(*_TAIL)) :].copy()
    fade = min(len(said), RATE // 100)
    said[len(said) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return said


def manner(x: Sound, rng: np.random.Generator) -> Sound:
    """The clip slower or faster, sometimes whispered or shouted."""
    if rng.random() < 0.45:
        x = stretched(x, rng.uniform(0.72, 1.5))
    kind = rng.random()
    if kind < 0.04:
        return whispered(x, rng)
    return shouted(x, rng) if kind < 0.12 else x


def resampled(x: Sound, factor: float) -> Sound:
    """Pitch and formants raised by the factor, duration shortened by it."""
    return signal.resample_poly(x, 100, round(100 * factor)).astype(np.float32)


def stretched(x: Sound, factor: float) -> Sound:
    """`factor` times as long at the same pitch: waveform-similarity overlap-add (WSOLA; Verhelst
    and Roelands, 1993)."""
    if len(x) < 4 * _GRAIN:
        return x
    half = _GRAIN // 2
    window = np.hanning(_GRAIN + 1)[:-1].astype(np.float32)
    padded = np.pad(x, (_SEARCH, _GRAIN + 2 * _SEARCH))
    count = int(len(x) * factor) // half
    out = np.zeros((count + 2) * half, np.float32)
    at = _SEARCH
    for grain in range(count):
        wanted = _SEARCH + int(grain * half / factor)
        if grain:
            natural = padded[at + half : at + half + _GRAIN]
            region = padded[wanted - _SEARCH : wanted + _SEARCH + _GRAIN]
            if len(natural) == _GRAIN and len(region) == _GRAIN + 2 * _SEARCH:
                likeness = np.correlate(region, natural, "valid")
                at = wanted - _SEARCH + int(np.argmax(likeness))
            else:
                at = min(wanted, len(padded) - _GRAIN)
        out[grain * half : grain * half + _GRAIN] += window * padded[at : at + _GRAIN]
    return out[: count * half]


def whispered(x: Sound, rng: np.random.Generator) -> Sound:
    """The spectral envelope without voicing: random phases, less energy in the low bands."""
    frequencies, _, spectrum = signal.stft(x, RATE, nperseg=320, noverlap=240)
    noise = np.exp(2j * np.pi * rng.random(spectrum.shape))
    envelope = signal.convolve(np.abs(spectrum), np.ones((7, 1)) / 7, "same")
    tilt = np.clip(frequencies / 1200, 0.12, 1.6)[:, None]
    _, y = signal.istft(envelope * tilt * noise, RATE, nperseg=320, noverlap=240)
    return y.astype(np.float32)


def shouted(x: Sound, rng: np.random.Generator) -> Sound:
    """More energy in the upper bands and a compressed, partly clipped waveform."""
    bright = x - rng.uniform(0.4, 0.9) * np.concatenate([[0], x[:-1]]).astype(np.float32)
    driven = np.tanh(bright / (np.abs(bright).max() + 1e-9) * rng.uniform(2, 8))
    return driven.astype(np.float32)


def coloured(length: int, rng: np.random.Generator) -> Sound:
    """Noise with a falling spectrum, sometimes limited to a band or modulated."""
    spectrum = np.fft.rfft(rng.normal(size=length))
    place = np.arange(len(spectrum)) + 1.0
    spectrum *= place ** -rng.uniform(0, 1.1)
    if rng.random() < 0.4:
        low = rng.uniform(50, 3000)
        hertz = RATE / 2 * place / len(place)
        spectrum *= 0.05 + ((hertz > low) & (hertz < low * rng.uniform(1.5, 8)))
    noise = np.fft.irfft(spectrum, length)
    if rng.random() < 0.4:
        beat = 2 * np.pi * rng.uniform(0.3, 8) * np.arange(length) / RATE
        noise *= 1 + 0.8 * np.sin(beat + rng.uniform(0, 6))
    return noise.astype(np.float32)


def sudden(length: int, rng: np.random.Generator) -> Sound:
    """Knocks, dishes, barks and chirps over a little noise, a few per second: each a gliding tone
    or a band of noise with a sharp onset and a decay."""
    x = coloured(length, rng)
    x *= np.float32(rng.uniform(0.01, 0.2) / (rms(x) + 1e-9))
    for _ in range(1 + int(rng.poisson(rng.uniform(0.5, 5) * length / RATE))):
        hertz, seconds = np.exp(rng.uniform(np.log(150), np.log(6000))), rng.uniform(0.02, 0.5)
        t = np.arange(int(4 * seconds * RATE), dtype=np.float32) / RATE
        if rng.random() < 0.5:
            glide = hertz * (t + rng.uniform(-0.5, 0.5) * t * t)
            event = sum(np.sin(2 * np.pi * h * glide) / h for h in range(1, 5) if h * hertz < 7000)
        else:
            band = [0.7 * hertz, min(hertz * rng.uniform(1.2, 3), 7900)]
            filters = signal.butter(1, band, "band", fs=RATE, output="sos")
            event = signal.sosfilt(filters, rng.normal(size=len(t)))
        event *= np.minimum(1, t / rng.uniform(0.001, 0.03)) * np.exp(-t / seconds * 2)
        event *= rng.uniform(0.2, 1) / (np.abs(event).max() + 1e-9)
        at = int(rng.integers(length))
        x[at : at + len(event)] += event[: length - at].astype(np.float32)
    return x


def excerpt(pool: Sequence[Sound], length: int, rng: np.random.Generator) -> Sound:
    """`length` samples from a pool of recordings, each second with the same probability."""
    sizes = np.array([len(x) for x in pool], float)
    x = pool[int(rng.choice(len(pool), p=sizes / sizes.sum()))]
    if len(x) < length:
        x = np.tile(x, length // len(x) + 1)
    start = int(rng.integers(len(x) - length + 1))
    return x[start : start + length]


def babble(pool: Sequence[Sound], length: int, rng: np.random.Generator) -> Sound:
    """One to five voices at once."""
    total = np.zeros(length, np.float32)
    for _ in range(int(rng.integers(1, 6))):
        total += rng.uniform(0.3, 1) * excerpt(pool, length, rng)
    return total


def rms(x: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if len(x) else 0.0


def active_rms(x: Sound) -> float:
    """RMS of the parts that aren't quiet."""
    peak = float(np.abs(x).max(initial=0.0))
    return rms(x[np.abs(x) > 0.02 * peak]) if peak > 0 else 0.0

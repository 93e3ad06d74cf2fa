"""What happens to speech on its way to the microphone: speakers, rooms, noises, levels.

All functions take and give floats at 16 kHz, full scale at 1, and draw from the generator given.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from bluering.training.speak import vocoder
from bluering.training.speak.voices import RATE

Sound = NDArray[np.floating[Any]]

# The shares of clips and of long recordings that WORLD says anew; the others are played faster or
# slower, which takes no time.
_VOCODED, _VOCODED_STREAM = 0.6, 0.3
_HEAD, _TAIL = (0.35, 0.62), (0.5, 0.75)  # where a beginning ends, where an end begins
_GRAIN = 480  # samples, of WSOLA
_SEARCH = 160


@lru_cache(maxsize=2)
def rooms(seed: int, count: int = 160) -> list[Sound]:
    """Impulse responses of shoebox rooms, by the image source method (pyroomacoustics), from the
    direct sound on, which has gain 1."""
    import pyroomacoustics as pra

    pra.constants.set("num_threads", 1)  # the sum's last bits would depend on the number of cores
    dice = np.random.default_rng(seed)
    found: list[Sound] = []
    while len(found) < count:
        size = np.array([dice.uniform(2, 9), dice.uniform(2, 7), dice.uniform(2.2, 3.6)])
        try:
            absorption, order = pra.inverse_sabine(dice.uniform(0.12, 0.75), size)
        except ValueError:  # no wall absorbs so much
            continue
        room = pra.ShoeBox(
            size, fs=RATE, materials=pra.Material(absorption), max_order=min(order, 14)
        )
        microphone = dice.uniform(0.15, 0.85, 3) * size
        direction = dice.normal(size=3)
        direction /= np.linalg.norm(direction)
        mouth = np.clip(microphone + direction * dice.uniform(0.3, 4), 0.1, size - 0.1)
        room.add_source(mouth)
        room.add_microphone(microphone)
        room.compute_rir()
        assert room.rir is not None
        response = np.asarray(room.rir[0][0], np.float32)
        direct = int(np.argmax(np.abs(response)))
        found.append(response[max(0, direct - 8) :][:12000] / np.abs(response[direct]))
    return found


def speaker(x: Sound, dice: np.random.Generator, vocoded: float = _VOCODED) -> Sound:
    """The clip as somebody else says it: another vocal tract, pitch and melody."""
    if dice.random() < vocoded:
        return vocoder.another_voice(x.astype(np.float32), dice)
    kind = dice.random()
    if kind < 0.70:
        return resampled(x, dice.uniform(0.84, 1.18))
    if kind < 0.80:
        return resampled(x, dice.uniform(1.18, 1.42))  # as high as children
    return resampled(x, dice.uniform(0.74, 0.84)) if kind < 0.87 else x


def speakers(x: Sound, dice: np.random.Generator) -> Sound:
    """A long recording with another speaker every few seconds, now and then as it is."""
    parts = []
    while len(x):
        length = int(dice.uniform(2.5, 9) * RATE)
        length = len(x) if len(x) - length < RATE else length
        part, x = x[:length], x[length:]
        parts.append(part if dice.random() < 0.25 else speaker(part, dice, _VOCODED_STREAM))
    return np.concatenate(parts)


def part(x: Sound, dice: np.random.Generator) -> Sound:
    """The beginning of a word or its end, which is none. More than the second half may be one:
    what noise leaves of "computer" is "puter", and a wake word all the same."""
    if dice.random() < 0.5:
        said = x[: int(len(x) * dice.uniform(*_HEAD))].copy()
    else:
        said = x[int(len(x) * dice.uniform(*_TAIL)) :].copy()
    fade = min(len(said), RATE // 100)
    said[len(said) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return said


def manner(x: Sound, dice: np.random.Generator) -> Sound:
    """The clip said slower or faster, now and then whispered or shouted."""
    if dice.random() < 0.45:
        x = stretched(x, dice.uniform(0.72, 1.5))
    kind = dice.random()
    if kind < 0.04:
        return whispered(x, dice)
    return shouted(x, dice) if kind < 0.12 else x


def resampled(x: Sound, factor: float) -> Sound:
    """Pitch and formants up by the factor, the time shorter by it."""
    return signal.resample_poly(x, 100, round(100 * factor)).astype(np.float32)


def stretched(x: Sound, factor: float) -> Sound:
    """As long as `factor` times before, at the same pitch: waveform-similarity overlap-add
    (Verhelst and Roelands, 1993)."""
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


def whispered(x: Sound, dice: np.random.Generator) -> Sound:
    """The spectral envelope without the voice: random phases, weaker in the low bands."""
    frequencies, _, spectrum = signal.stft(x, RATE, nperseg=320, noverlap=240)
    noise = np.exp(2j * np.pi * dice.random(spectrum.shape))
    envelope = signal.convolve(np.abs(spectrum), np.ones((7, 1)) / 7, "same")
    tilt = np.clip(frequencies / 1200, 0.12, 1.6)[:, None]
    _, y = signal.istft(envelope * tilt * noise, RATE, nperseg=320, noverlap=240)
    return y.astype(np.float32)


def shouted(x: Sound, dice: np.random.Generator) -> Sound:
    """More energy in the upper bands and a compressed, partly clipped waveform."""
    bright = x - dice.uniform(0.4, 0.9) * np.concatenate([[0], x[:-1]]).astype(np.float32)
    driven = np.tanh(bright / (np.abs(bright).max() + 1e-9) * dice.uniform(2, 8))
    return driven.astype(np.float32)


def coloured(length: int, dice: np.random.Generator) -> Sound:
    """Noise with a falling spectrum, at times a band or a beat."""
    spectrum = np.fft.rfft(dice.normal(size=length))
    place = np.arange(len(spectrum)) + 1.0
    spectrum *= place ** -dice.uniform(0, 1.1)
    if dice.random() < 0.4:
        low = dice.uniform(50, 3000)
        hertz = RATE / 2 * place / len(place)
        spectrum *= 0.05 + ((hertz > low) & (hertz < low * dice.uniform(1.5, 8)))
    noise = np.fft.irfft(spectrum, length)
    if dice.random() < 0.4:
        beat = 2 * np.pi * dice.uniform(0.3, 8) * np.arange(length) / RATE
        noise *= 1 + 0.8 * np.sin(beat + dice.uniform(0, 6))
    return noise.astype(np.float32)


def sudden(length: int, dice: np.random.Generator) -> Sound:
    """Knocks, dishes, barks and chirps, some a second, over a little noise: each a tone that glides
    or a band of noise, which begins at once and dies away."""
    x = coloured(length, dice)
    x *= np.float32(dice.uniform(0.01, 0.2) / (rms(x) + 1e-9))
    for _ in range(1 + int(dice.poisson(dice.uniform(0.5, 5) * length / RATE))):
        hertz, seconds = np.exp(dice.uniform(np.log(150), np.log(6000))), dice.uniform(0.02, 0.5)
        t = np.arange(int(4 * seconds * RATE), dtype=np.float32) / RATE
        if dice.random() < 0.5:
            glide = hertz * (t + dice.uniform(-0.5, 0.5) * t * t)
            event = sum(np.sin(2 * np.pi * h * glide) / h for h in range(1, 5) if h * hertz < 7000)
        else:
            band = [0.7 * hertz, min(hertz * dice.uniform(1.2, 3), 7900)]
            filters = signal.butter(1, band, "band", fs=RATE, output="sos")
            event = signal.sosfilt(filters, dice.normal(size=len(t)))
        event *= np.minimum(1, t / dice.uniform(0.001, 0.03)) * np.exp(-t / seconds * 2)
        event *= dice.uniform(0.2, 1) / (np.abs(event).max() + 1e-9)
        at = int(dice.integers(length))
        x[at : at + len(event)] += event[: length - at].astype(np.float32)
    return x


def excerpt(pool: Sequence[Sound], length: int, dice: np.random.Generator) -> Sound:
    """So many samples of a pool of recordings, each second as likely as any other."""
    sizes = np.array([len(x) for x in pool], float)
    x = pool[int(dice.choice(len(pool), p=sizes / sizes.sum()))]
    if len(x) < length:
        x = np.tile(x, length // len(x) + 1)
    start = int(dice.integers(len(x) - length + 1))
    return x[start : start + length]


def babble(pool: Sequence[Sound], length: int, dice: np.random.Generator) -> Sound:
    """One to five people talking at once."""
    total = np.zeros(length, np.float32)
    for _ in range(int(dice.integers(1, 6))):
        total += dice.uniform(0.3, 1) * excerpt(pool, length, dice)
    return total


def rms(x: Sound) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if len(x) else 0.0


def active_rms(x: Sound) -> float:
    """RMS of the parts that are not quiet."""
    peak = float(np.abs(x).max(initial=0.0))
    return rms(x[np.abs(x) > 0.02 * peak]) if peak > 0 else 0.0


def transmitted(x: Sound, dice: np.random.Generator, narrow: float = 0.0) -> Sound:
    """A microphone's and a housing's frequency response; narrow: how often a telephone's too."""
    if dice.random() < 0.5:
        band = [dice.uniform(40, 350), dice.uniform(3200, 7900)]
        filters = signal.butter(int(dice.integers(1, 3)), band, "band", fs=RATE, output="sos")
        x = np.asarray(signal.sosfilt(filters, x), np.float32)
    if dice.random() < 0.6:
        padded = fft.next_fast_len(len(x), real=True)  # a prime number of samples takes ten times
        spectrum = np.asarray(fft.rfft(x, padded))
        place = np.linspace(0, 1, len(spectrum))
        knots = np.sort(np.concatenate([[0], dice.random(4), [1]]))
        gain = np.interp(place, knots, dice.uniform(-7, 7, 6))
        shaped = np.asarray(fft.irfft(spectrum * 10 ** (gain / 20), padded), np.float32)
        x = shaped[: len(x)]
    return narrow_band(x, dice) if narrow and dice.random() < narrow else x


def narrow_band(x: Sound, dice: np.random.Generator) -> Sound:
    """As a telephone, a headset or a dull voice has it: hardly anything over 2.5 to 4.5 kHz."""
    highest = np.exp(dice.uniform(np.log(2500), np.log(4500)))
    filters = signal.butter(int(dice.integers(4, 11)), highest, fs=RATE, output="sos")
    x = np.asarray(signal.sosfilt(filters, x), np.float32)
    if dice.random() < 0.5:
        filters = signal.butter(2, dice.uniform(100, 400), "high", fs=RATE, output="sos")
        x = np.asarray(signal.sosfilt(filters, x), np.float32)
    return x


def recorded(x: Sound, dice: np.random.Generator) -> NDArray[np.int16]:
    """At some level, at times overdriven, with the microphone's own noise, as int16."""
    peak = float(np.abs(x).max(initial=0.0)) + 1e-9
    kind = dice.random()
    if kind < 0.08:
        x = np.tanh(x / peak * dice.uniform(1, 6)) * dice.uniform(0.3, 0.98)
    elif kind < 0.30:
        x = np.clip(x / peak * np.exp(dice.uniform(0, 2.3)), -1, 1) * dice.uniform(0.5, 1.0)
    else:
        x = x / peak * 10 ** (dice.uniform(-38, -0.5) / 20)
    x = x + dice.normal(size=len(x)) * 10 ** (dice.uniform(-100, -62) / 20)
    return np.rint(np.clip(x, -1, 1) * 32767).astype(np.int16)

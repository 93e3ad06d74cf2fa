"""Chatter as a microphone hears it: scenes, each in one room with one background noise."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bluering.training.augment import microphone, sound
from bluering.training.augment.sound import Sound
from bluering.training.speak.chatter import texts
from bluering.training.speak.voices import RATE, Utterance, Voice, tidy

_SLOWEST, _FASTEST = 0.7, 1.4
_PAUSE = 0.3  # seconds, on average
_VOCODED = 0.15  # the share changed by WORLD, which is slow; the rest is resampled
_SCENE = (15.0, 60.0)  # seconds in one room with one noise
_LOUDEST = 0.97


def chatter(
    phrase: str,
    voice: Voice,
    seconds: float,
    rooms: Sequence[Sound],
    noises: Sequence[Sound],
    rng: np.random.Generator,
    narrow: float = 0.0,
) -> NDArray[np.int16]:
    """`seconds` of talk without the phrase, at RATE. rooms: impulse responses; noises: recordings
    for the background; narrow: the share of scenes whose talk is band-limited."""
    lines = texts(phrase, rng)
    parts, left = [], int(seconds * RATE)
    while left > 0:
        length = min(left, int(rng.uniform(*_SCENE) * RATE))
        parts.append(_scene(_talk(lines, voice, length, rng), rooms, noises, rng, narrow))
        left -= length
    return np.concatenate([np.zeros(0, np.int16), *parts])


def _talk(lines: Iterator[str], voice: Voice, length: int, rng: np.random.Generator) -> Sound:
    talk = np.zeros(length, np.float32)
    at = 0
    while at < length:
        speed = round(float(rng.uniform(_SLOWEST, _FASTEST)), 3)
        said = tidy(*voice.say(Utterance(next(lines), "hibari", "heart", speed)))
        spoken = sound.speaker(said.astype(np.float32) / 32768, rng, _VOCODED)[: length - at]
        talk[at : at + len(spoken)] += spoken * np.float32(rng.uniform(0.4, 1.2))
        at += len(spoken) + int(rng.exponential(_PAUSE) * RATE) + 1
    return talk


def _scene(
    x: Sound,
    rooms: Sequence[Sound],
    noises: Sequence[Sound],
    rng: np.random.Generator,
    narrow: float,
) -> NDArray[np.int16]:
    from scipy.signal import fftconvolve

    if rng.random() < 0.65:
        response = rooms[int(rng.integers(len(rooms)))]
        x = np.asarray(fftconvolve(x, response)[: len(x)], np.float32)
    x = microphone.response(x, rng, narrow)
    noise = sound.coloured(len(x), rng)
    if noises and rng.random() < 0.6:
        noise = sound.excerpt(noises, len(x), rng)
    snr = rng.uniform(-3, 12) if rng.random() < 0.4 else rng.uniform(12, 60)
    gain = max(sound.active_rms(x), 1e-4) * 10 ** (-snr / 20) / (sound.rms(noise) + 1e-6)
    x = x + noise * np.float32(gain)
    peak = float(np.abs(x).max(initial=0.0)) + 1e-9
    x = x / peak * min(_LOUDEST, 10 ** (rng.uniform(-32, 0) / 20))
    return np.rint(x * 32767).astype(np.int16)

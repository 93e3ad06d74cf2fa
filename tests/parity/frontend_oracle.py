"""What the front end must compute: pymicro-features' raw values, and signals to try it on."""

import ctypes
import ctypes.util
import struct
from unittest import mock

import numpy as np
from pymicro_features import MicroFrontend

from bluering.models import frontend_tables

HOP = 160
CHANNELS = 40
RATE = 16000
_SCALE = 0.0390625  # pymicro-features multiplies its uint16 values with it


def raw_features(samples: np.ndarray) -> np.ndarray:
    """uint16 of shape (hops - 2, 40) for int16 samples, by a fresh front end."""
    frontend, rows = MicroFrontend(), []
    hops = samples[: len(samples) // HOP * HOP].astype("<i2").reshape(-1, HOP)
    for hop in hops:
        features = frontend.process_samples(hop.tobytes()).features
        if features:
            rows.append(np.rint(np.array(features) / _SCALE))
    return np.array(rows, "<u2")


def quantised(raw: np.ndarray) -> np.ndarray:
    """int8 + 128 as ESPHome turns raw features into a model's input."""
    return np.clip((raw.astype(np.int64) * 256 + 333) // 666, 0, 255).astype(np.uint8)


def band_weights() -> bytes:
    """The table BAND_WEIGHTS as pymicro-features computes it on this computer.

    It asks the C library for logarithms, and not every C library's last bit is FDLIBM's
    (frontend_tables); then this table replaces the device's, to compare all the rest.
    """
    library = ctypes.CDLL(ctypes.util.find_library("m"))
    library.log1pf.restype = ctypes.c_float
    library.log1pf.argtypes = [ctypes.c_float]
    with mock.patch.object(
        frontend_tables, "_log1p", lambda x: np.float32(library.log1pf(float(x)))
    ):
        _, weights = frontend_tables.bands()
    return struct.pack(f"<{len(weights)}H", *weights)


def signals() -> dict[str, np.ndarray]:
    """int16 signals that reach the corners of the arithmetic, more than 5,000 hops in all."""
    rng = np.random.default_rng(20261123)
    time = np.arange(8 * RATE) / RATE
    white = rng.standard_normal(len(time))
    sweep = np.sin(2 * np.pi * 20 * time[-1] / np.log(400) * 400 ** (time / time[-1]))
    found = {
        "speech-like": speech_like(rng, 10),
        "soft speech": speech_like(rng, 8) / 64,
        "noise": white * 3000,
        "swelling noise": white * 12000 * (time / time[-1]) ** 4,
        "full-scale noise": rng.integers(-32768, 32768, len(time)),
        "square 440 Hz": np.where(time * 440 % 1 < 0.5, 32767, -32768),
        "square 3 kHz": np.where(time[:RATE] * 3000 % 1 < 0.5, 32767, -32768),
        "sweep": 20000 * sweep,
        "clipped sweep": 200000 * sweep,
        "silence": np.zeros(2 * RATE),
        "one bit": rng.integers(-1, 2, 4 * RATE),
        "constant": np.full(RATE, -32768),
        "impulses": _impulses(rng, 8),
        "deepest samples": _deepest_samples(),
    }
    return {name: np.clip(np.rint(x), -32768, 32767).astype(np.int16) for name, x in found.items()}


def speech_like(rng: np.random.Generator, seconds: int) -> np.ndarray:
    """Syllables of a gliding voice through three gliding resonances, with hiss and pauses."""
    time = np.arange(seconds * RATE) / RATE
    pitch = np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = np.zeros_like(time)
    for formant, width, glide in ((600, 90, 1.3), (1500, 130, 0.9), (2600, 200, 1.7)):
        centre = formant * (1 + 0.3 * np.sin(2 * np.pi * glide * time))
        for harmonic in range(1, 30):
            distance = (harmonic * 120 - centre) / width
            voice += np.sin(2 * np.pi * harmonic * pitch) / (1 + distance**2)
    hiss = np.diff(rng.standard_normal(len(time) + 1))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, 1) * (
        np.sin(2 * np.pi * 0.4 * time) > -0.5
    )
    return syllables * (5000 * voice + 800 * hiss) + 20 * rng.standard_normal(len(time))


def _impulses(rng: np.random.Generator, seconds: int) -> np.ndarray:
    samples = np.zeros(seconds * RATE)
    places = rng.integers(0, len(samples), 30 * seconds)
    samples[places] = rng.choice([-32768, 32767, -1, 1, 100, -12345], len(places))
    return samples


def _deepest_samples() -> np.ndarray:
    """-32768 among quieter samples: where the window is 1 its magnitude overflows in the C code.

    Every 481 samples, so that it comes to lie in every place of a window.
    """
    quiet = np.array([5, -9, 3, -7], np.int64)
    samples = np.concatenate([np.tile(quiet * factor, 481 * 40) for factor in (1700, 200, 1)])
    samples[:: 3 * HOP + 1] = -32768
    return samples

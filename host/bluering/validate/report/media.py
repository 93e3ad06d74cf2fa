"""The worst cases to look at and listen to, as data inside the page."""

import base64
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import stft

from bluering.samples import Samples
from bluering.sound_files import RATE, encoded
from ear.audio.format import HOP

_WINDOW = 400
_DYNAMIC_DB = 70.0
# Dark to bright through hue and lightness alike, so that it also reads in grey.
_STOPS = np.array(
    [(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], np.float64
)


@dataclass(frozen=True)
class Case:
    """Something a person should listen to."""

    title: str
    audio: Samples


def audio_url(samples: Samples) -> str:
    """FLAC as a data URL."""
    return _url("audio/flac", encoded(samples, "FLAC"))


def spectrogram_url(samples: Samples) -> str:
    """PNG as a data URL: time from left to right, 0 to 8 kHz from bottom to top."""
    _, _, spectrum = stft(samples / 32768.0, RATE, nperseg=_WINDOW, noverlap=_WINDOW - HOP)
    level = 20 * np.log10(np.abs(spectrum) + 1e-6)
    shown = np.clip((level - level.max()) / _DYNAMIC_DB + 1, 0, 1)[::-1]
    return _url("image/png", _png((shown * 255).astype(np.uint8)))


def _png(levels: NDArray[np.uint8]) -> bytes:
    """A picture with one palette entry per level (PNG specification, colour type 3)."""
    height, width = levels.shape
    places = np.linspace(0, len(_STOPS) - 1, 256)
    columns = [np.interp(places, range(len(_STOPS)), _STOPS[:, c]) for c in range(3)]
    palette = np.stack(columns, axis=1).astype(np.uint8).tobytes()
    rows = np.pad(levels, ((0, 0), (1, 0))).tobytes()  # each row starts with its filter, none
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"

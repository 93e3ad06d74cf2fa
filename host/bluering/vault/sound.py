"""Sound as the vault keeps and shows it: FLAC without any metadata, 16 kHz, mono, 16 bits."""

import io
import struct
import zlib

import numpy as np
import soundfile

from bluering.samples import Samples
from bluering.sound_files import encoded
from ear.audio.format import HOP


def to_flac(samples: Samples) -> bytes:
    """Losslessly compressed; nothing for no samples, which FLAC can't hold."""
    return encoded(samples, "FLAC") if len(samples) else b""


def to_wav(samples: Samples) -> bytes:
    """As a WAV file, which every player takes."""
    return encoded(samples, "WAV")


def from_flac(data: bytes) -> Samples:
    """The samples of ``to_flac``."""
    if not data:
        return np.zeros(0, np.int16)
    samples, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    return np.asarray(samples, np.int16)


_WINDOW = 512
_FLOOR_DB = -70.0


def spectrogram_png(samples: Samples) -> bytes:
    """A grey-scale picture: time to the right (10 ms a pixel), 0 to 8 kHz upwards."""
    padded = np.pad(samples.astype(float) / 32768, (0, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) / (_WINDOW / 4)
    decibels = 20 * np.log10(np.maximum(magnitude, 10 ** (_FLOOR_DB / 20)))
    shade = np.clip(255 * (1 - decibels / _FLOOR_DB), 0, 255).astype(np.uint8)
    return _png(shade.T[::-1][::2])


def _png(grey: np.ndarray) -> bytes:
    """An 8-bit grey-scale PNG of rows from the top."""
    height, width = grey.shape
    rows = b"".join(b"\0" + row.tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )

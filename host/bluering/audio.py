"""Sound from anywhere, as the ear wants it: 16 kHz, mono, 16 bits, in blocks."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bluering.errors import BlueRingError
from bluering.sound_files import AudioError, stream
from ear.audio.format import RATE

_BLOCK_S = 0.5


class SoundError(BlueRingError):
    """A sound file that can't be read, or a microphone that can't be opened."""


def file_blocks(path: Path) -> Iterator[np.ndarray]:
    """Blocks of int16 samples (16 kHz, mono) of a sound file of any rate and channel count, as
    sound_files.stream gives them. Raises SoundError."""
    try:
        yield from stream(path, block_seconds=_BLOCK_S)
    except AudioError as error:
        raise SoundError(
            f"can't read {path} as sound: {error}. WAV, FLAC, Ogg, Opus and MP3 are known"
        ) from error


def pipe_blocks() -> Iterator[np.ndarray]:
    """Blocks of int16 samples from standard input: raw 16 kHz mono little-endian."""
    while data := sys.stdin.buffer.read(int(_BLOCK_S * RATE) * 2):
        yield np.frombuffer(data[: len(data) // 2 * 2], "<i2")


def sound_card() -> Any:
    """The module sounddevice. Raises SoundError where it, or PortAudio under it, is missing."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise SoundError(
            f"no access to microphone and loudspeaker: {error}",
            "install it with 'pip install bluering[audio]' and PortAudio with 'apt install "
            "libportaudio2'",
        ) from error
    return sounddevice


def microphone_blocks(device: str | None = None) -> Iterator[np.ndarray]:
    """Blocks of int16 samples from this computer's microphone, 20 ms each, without end.

    Needs the extra ``audio`` and PortAudio (Debian: libportaudio2). Raises SoundError.
    """
    sounddevice = sound_card()
    block = RATE // 50
    try:
        with sounddevice.RawInputStream(RATE, block, device, 1, "int16") as stream:
            while True:
                data, _ = stream.read(block)
                yield np.frombuffer(bytes(data), "<i2")
    except sounddevice.PortAudioError as error:
        raise SoundError(
            f"can't open the microphone: {error}",
            "is one plugged in, and not in use by another program? 'python -m sounddevice' "
            "lists those that are there",
        ) from error


def as_bytes(blocks: Iterable[np.ndarray]) -> Iterator[bytes]:
    """The blocks as little-endian bytes."""
    for block in blocks:
        yield block.astype("<i2").tobytes()


def read(path: Path) -> np.ndarray:
    """A whole sound file as int16 samples (16 kHz, mono). Raises SoundError."""
    blocks = list(file_blocks(path))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)

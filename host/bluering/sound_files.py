"""Any audio file as 16 kHz mono int16, streamed in blocks so that its length doesn't matter."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from bluering.errors import BlueRingError
from bluering.samples import Samples
from ear.audio.format import HOP, RATE, WINDOW

FIRST_FEATURES = WINDOW // HOP - 1  # hops heard before the first one that gives features
SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".w64"})

_BLOCK_SECONDS = 20.0
_SILENT_PEAK = 3  # int16 steps (-81 dBFS): what dither leaves, below any microphone
_WORST_LOSS = 0.01  # of the announced length: MP3 headers only estimate theirs


class AudioError(BlueRingError):
    """This file can't be measured; the message is the reason, without the file's name."""


@dataclass(frozen=True)
class Probe:
    """What a file's header says."""

    seconds: float
    other: str  # what it is when it isn't 16 kHz mono; empty when it is


def probe(path: Path) -> Probe:
    """The header of an audio file; AudioError when there is nothing to decode."""
    with _opened(path) as file:
        if file.frames <= 0:
            raise AudioError("it holds no samples")
        seconds = file.frames / file.samplerate
        if seconds * RATE < WINDOW:
            raise AudioError(
                f"{seconds * 1000:.0f} ms is shorter than one window of the front end (30 ms)"
            )
        plain = file.samplerate == RATE and file.channels == 1
        found = f"{file.samplerate} Hz, {file.channels} channel(s), {file.format}"
        return Probe(seconds, "" if plain else found)


def stream(
    path: Path, start: float = 0.0, block_seconds: float = _BLOCK_SECONDS
) -> Iterator[Samples]:
    """Blocks of int16 samples, 16 kHz mono, from `start` seconds on.

    Several channels are averaged; other rates are resampled by soxr at high quality. AudioError
    when the file ends early or stops decoding, after the blocks that could be read.
    """
    with _opened(path) as file:
        announced = file.frames
        position = round(start * file.samplerate)
        try:
            file.seek(position)
        except (sf.SoundFileError, RuntimeError) as error:
            raise AudioError(f"cannot be positioned at {start:.1f} s ({error})") from error
        resampler = None
        if file.samplerate != RATE:
            resampler = soxr.ResampleStream(file.samplerate, RATE, 1, dtype="float32")
        for mono in _mono_blocks(file, round(block_seconds * file.samplerate)):
            position += len(mono)
            yield to_int16(resampler.resample_chunk(mono) if resampler else mono)
        if resampler:
            yield to_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        if position < announced * (1 - _WORST_LOSS):
            raise AudioError(
                f"it is damaged or cut off: {position / file.samplerate:.1f} s of "
                f"{announced / file.samplerate:.1f} s could be decoded"
            )


def read(path: Path, start: float = 0.0, seconds: float | None = None) -> Samples:
    """A stretch of a file, or all of it, in memory: for clips, not for long recordings."""
    if seconds is None:
        return np.concatenate([np.zeros(0, np.int16), *stream(path, start)])
    wanted = round(seconds * RATE)
    blocks: list[Samples] = []
    blocks_length = 0
    for block in stream(path, start, min(seconds + 0.1, _BLOCK_SECONDS)):
        blocks.append(block)
        blocks_length += len(block)
        if blocks_length >= wanted:
            break
    return np.concatenate([np.zeros(0, np.int16), *blocks])[:wanted]


def to_int16(samples: NDArray[np.floating]) -> Samples:
    """Float samples (-1..1) as int16, rounded and saturated."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def encoded(samples: NDArray, kind: str) -> bytes:
    """16 kHz mono as a file's bytes, 16 bits a sample; ``kind``: "WAV" or "FLAC"."""
    file = io.BytesIO()
    sf.write(file, samples, RATE, format=kind, subtype="PCM_16")
    return file.getvalue()


def is_silent(peak: int) -> bool:
    """Whether a recording whose largest |sample| is `peak` (0..32768) holds no sound at all."""
    return peak <= _SILENT_PEAK


def peak_of(samples: Samples) -> int:
    """The largest |sample|, 0..32768."""
    return int(np.abs(samples.astype(np.int32)).max(initial=0))


def _opened(path: Path) -> sf.SoundFile:
    if not path.is_file():
        raise AudioError("there is no such file")
    if path.stat().st_size == 0:
        raise AudioError("the file is empty")
    try:
        return sf.SoundFile(path)
    except (sf.SoundFileError, RuntimeError, TypeError) as error:
        raise AudioError(f"it cannot be decoded ({_sentence(error)})") from error


def _mono_blocks(file: sf.SoundFile, frames_each: int) -> Iterator[NDArray[np.float32]]:
    while True:
        try:
            frames = file.read(frames_each, dtype="float32", always_2d=True)
        except (sf.SoundFileError, RuntimeError) as error:
            raise AudioError(f"it stops decoding midway ({_sentence(error)})") from error
        if not len(frames):
            return
        yield np.asarray(frames, np.float32).mean(axis=1)


def _sentence(error: Exception) -> str:
    """libsndfile's own words, without the path that soundfile puts before them."""
    return getattr(error, "error_string", str(error)).strip().rstrip(".")

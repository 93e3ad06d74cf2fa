"""A small world to measure: an engine that hears loudness, recordings that are easy to judge."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile as sf

from bluering.samples import Samples
from bluering.sound_files import HOP, RATE
from bluering.validate.engines import EngineSpec, ModelSpec, Probabilities

WORD = "beep"
_FORMATS = {".mp3": ("MP3", None), ".opus": ("OGG", "OPUS")}


class LoudEngine:
    """Its probability is the loudness of the step: 255 for an RMS of 0.255 of full scale."""

    strides: tuple[int, ...] = (3,)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        audio = np.concatenate([np.zeros(0, np.int16), *blocks]).astype(np.float64) / 32768
        hops = audio[: len(audio) // HOP * HOP].reshape(-1, HOP)[2:]
        steps = hops[: len(hops) // 3 * 3].reshape(-1, 3 * HOP)
        rms = np.sqrt(np.square(steps).mean(axis=1))
        return [np.clip(np.rint(rms * 1000), 0, 255).astype(np.uint8)]


def open_loud(spec: EngineSpec) -> LoudEngine:
    assert len(spec.models) == 1
    return LoudEngine()


MODEL = ModelSpec(WORD, WORD, b"", "", Path(), "0" * 64, cutoff=100, window=5)
SPEC = EngineSpec("loud", "tests.unit.validate_world:open_loud", (MODEL,))


def beep(level: float, seconds: float = 0.6, rate: int = RATE) -> np.ndarray:
    """A tone of that RMS, between two short silences."""
    tone = level * np.sqrt(2) * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.pad(tone, rate // 10)


def hum(level: float, seconds: float, seed: int = 0) -> np.ndarray:
    """White noise of that RMS."""
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * RATE))


def listening(seconds: float, beeps: dict[float, float], seed: int = 0) -> np.ndarray:
    """Quiet noise with beeps in it: where each begins (seconds) and its level."""
    audio = hum(0.01, seconds, seed)
    for start, level in beeps.items():
        tone = beep(level)
        audio[round(start * RATE) :][: len(tone)] += tone
    return audio


def write(path: Path, audio: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind, subtype = _FORMATS.get(path.suffix, (None, "PCM_16"))
    sf.write(path, audio, rate, format=kind, subtype=subtype)
    return path


def build_corpus(root: Path) -> Path:
    """Eight positives from soft to loud; two kinds of negatives with known wakes."""
    for number in range(8):
        write(root / f"positives/beep/{number}.wav", beep(0.06 + 0.02 * number))
    for number in range(4):
        beeps = {10.0: 0.15, 25.0: 0.2} if number == 2 else {}
        write(root / f"negatives/tv/{number}.wav", listening(40.0, beeps, number))
    write(root / "negatives/music/0.wav", listening(30.0, {3.0: 0.25}, 9))
    return root

"""When has somebody finished speaking? By hand, and on real recordings with real noise."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pymicro_features import MicroFrontend

from ear.privacy.endpointer import GRACE_HOPS, HANGOVER_HOPS, EndPointer

RATE, HOP = 16000, 160
Hop = tuple[bytes, int]
SPEECH, QUIET = (bytes([100] * 40), 8000), (bytes(40), 40)


def _end(pointer: EndPointer, hops: list[Hop]) -> int | None:
    return next((at for at, hop in enumerate(hops) if pointer.push(*hop)), None)


def test_silence_ends_it_after_the_hangover():
    end = _end(EndPointer(grace=0), [SPEECH] * 300 + [QUIET] * 300)
    assert end is not None
    assert 300 + HANGOVER_HOPS <= end <= 300 + HANGOVER_HOPS + 25  # the smoothing's tail


def test_nothing_ends_it_within_the_grace():
    assert _end(EndPointer(), [QUIET] * 500) == GRACE_HOPS - 1


def test_a_short_pause_does_not_end_it():
    hops = ([SPEECH] * 60 + [QUIET] * (HANGOVER_HOPS - 10)) * 5
    assert _end(EndPointer(), hops) is None


def test_a_television_in_the_background_counts_as_silence():
    television = (SPEECH[0], SPEECH[1] // 8)
    end = _end(EndPointer(grace=0), [SPEECH] * 100 + [television] * 300)
    assert end is not None
    assert end < 100 + HANGOVER_HOPS + 30


def test_a_loud_steady_noise_counts_as_silence():
    noise = (bytes([10] * 40), SPEECH[1])
    assert _end(EndPointer(grace=0), [SPEECH] * 100 + [noise] * 300) is not None


def test_a_slammed_door_is_forgotten():
    hops = [(SPEECH[0], 32767)] * 3 + ([SPEECH] * 60 + [QUIET] * 20) * 4
    assert _end(EndPointer(grace=0), hops) is None


def test_reset_forgets_the_loudest():
    pointer = EndPointer(grace=0)
    for _ in range(50):
        pointer.push(SPEECH[0], 32767)
    pointer.reset()
    assert _end(pointer, [(SPEECH[0], 500)] * 300) is None


def _hops(samples: np.ndarray) -> list[Hop]:
    """Features by ESPHome's rule, and the largest sample of each window of 30 ms."""
    frontend = MicroFrontend()
    data = samples.astype("<i2").tobytes()
    raw = [
        frontend.process_samples(data[at : at + 2 * HOP]).features or [0] * 40
        for at in range(0, len(data) - 2 * HOP + 1, 2 * HOP)
    ]
    steps = np.rint(np.array(raw) / 0.0390625).astype(int)
    features = np.clip((steps * 256 + 333) // 666, 0, 255).astype(np.uint8)
    loud = np.abs(samples[: len(raw) * HOP].astype(int)).reshape(-1, HOP).max(1)
    peaks = np.maximum.reduce([loud, np.roll(loud, 1), np.roll(loud, 2)])
    return [
        (row.tobytes(), min(int(peak), 32767)) for row, peak in zip(features, peaks, strict=True)
    ]


def _spoken(samples: np.ndarray) -> np.ndarray:
    """A clip from 50 ms before its first loud hop to 50 ms after its last one."""
    hops = samples[: len(samples) // HOP * HOP].reshape(-1, HOP).astype(float)
    level = np.convolve(np.sqrt((hops**2).mean(1)), np.ones(3) / 3, "same")
    loud = np.flatnonzero(level > 0.05 * level.max())
    return samples[max(0, loud[0] * HOP - 800) : (loud[-1] + 1) * HOP + 800]


class _Scenes:
    """A wake word, a short pause, a second word as the command, then nothing."""

    def __init__(self, corpus: Path, seed: int) -> None:
        self._corpus = corpus
        self._random = random.Random(seed)
        with (corpus / "manifest.csv").open() as file:
            rows = list(csv.DictReader(file))
        # Longer clips hold pauses that are ends by any definition.
        self._words = [
            row["path"]
            for row in rows
            if row["label"] in ("alexa", "computer") and float(row["duration_s"]) < 3.1
        ]
        self._noises = {
            label: [
                row["path"]
                for row in rows
                if row["label"] == label and float(row["duration_s"]) > 20
            ]
            for label in ("ambient", "music", "tv")
        }

    def make(self, noise: str | None, snr: float) -> tuple[np.ndarray, int, int]:
        """Samples, the hop at which the first word ends, the hop at which the second does."""
        first, second = (_spoken(self._read(path)) for path in self._random.sample(self._words, 2))
        lead, pause = 24000, int(RATE * self._random.uniform(0.1, 0.6))
        woken = lead + len(first)
        begin = woken + pause
        samples = np.zeros(begin + len(second) + 10 * RATE)
        samples[lead:woken] = first
        samples[begin : begin + len(second)] = second
        power = np.sqrt((second.astype(float) ** 2).mean())
        samples += self._background(noise, len(samples), power / 10 ** (snr / 20))
        end = (begin + len(second) - 800) // HOP
        return np.clip(samples, -32768, 32767).astype(np.int16), woken // HOP, end

    def _background(self, noise: str | None, count: int, level: float) -> np.ndarray:
        if noise is None:
            return np.random.default_rng(1).normal(0, 8, count)
        sound = self._read(self._random.choice(self._noises[noise]), 20 * RATE)[2 * RATE :]
        sound = np.resize(sound, count).astype(float)
        return sound * level / max(1.0, np.sqrt((sound**2).mean()))

    def _read(self, path: str, frames: int = -1) -> np.ndarray:
        return soundfile.read(self._corpus / path, frames, dtype="int16")[0]


@pytest.mark.parametrize(
    ("noise", "snr", "median_s", "cut_off", "never"),
    [
        (None, 0, 1.0, 0.05, 0.0),
        ("ambient", 20, 1.2, 0.10, 0.05),
        ("music", 15, 1.2, 0.10, 0.05),
        ("tv", 20, 1.2, 0.10, 0.05),
    ],
)
def test_on_real_recordings(
    dev_corpus: Path, noise: str | None, snr: float, median_s: float, cut_off: float, never: float
):
    """Few commands are cut off, few recordings run to their longest, and it doesn't dawdle."""
    scenes = _Scenes(dev_corpus, seed=9)
    count, delays, cut, open_ended = 20, [], 0, 0
    for _ in range(count):
        samples, woken, end = scenes.make(noise, snr)
        found = _end(EndPointer(), _hops(samples)[woken : woken + 800])
        if found is None:
            open_ended += 1
        else:
            delays.append((woken + found - end) / 100)
            cut += woken + found < end
    print(f"{noise} {snr} dB: median {np.median(delays):.2f} s, cut {cut}, open {open_ended}")
    assert np.median(delays) <= median_s
    assert cut <= cut_off * count
    assert open_ended <= never * count

"""The voice disguise: another pitch, the same length."""

import numpy as np
import pytest

from bluering.review.disguise import disguise, factor_of, stretch

_RATE = 16000


def _peak_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * _RATE / len(samples)


@pytest.mark.parametrize("clip_id", ["00000000" * 4, "ffffffff" * 4, "7a3c5e01" * 4])
def test_the_pitch_is_shifted_and_the_length_kept(clip_id: str):
    tone = (8000 * np.sin(2 * np.pi * 400 * np.arange(32000) / _RATE)).astype(np.int16)
    changed = disguise(tone, clip_id)
    assert (changed.dtype, changed.shape) == (tone.dtype, tone.shape)
    assert _peak_hz(changed) == pytest.approx(400 * factor_of(clip_id), rel=0.03)


def test_the_factor_is_never_small():
    factors = [factor_of(f"{number:08x}") for number in range(0, 2**32, 2**22 + 1)]
    assert all(1.15 <= max(f, 1 / f) <= 1.35 for f in factors)
    assert min(factors) < 1 < max(factors)


def test_stretching_keeps_the_pitch():
    tone = 8000 * np.sin(2 * np.pi * 300 * np.arange(32000) / _RATE)
    assert _peak_hz(stretch(tone, 1.3)) == pytest.approx(300, rel=0.02)


@pytest.mark.parametrize("count", [0, 1, 100, 700])
def test_short_sounds(count: int):
    assert len(disguise(np.full(count, 100, np.int16), "12345678" * 4)) == count

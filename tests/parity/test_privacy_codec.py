"""ADPCM on both runtimes, against its plain twin and against libsndfile's decoder."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ear.privacy import adpcm
from tests.targets import device

HOP = 160


def _signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    count = 2 * 16000
    time = np.arange(count) / 16000
    sweep = 12000 * np.sin(2 * np.pi * (100 + 500 * time) * time)
    return {
        "sweep": sweep.astype(np.int16),
        "noise": rng.integers(-32768, 32768, count).astype(np.int16),
        "square": np.where(np.arange(count) % 80 < 40, 32767, -32768).astype(np.int16),
        "silence": np.zeros(count, np.int16),
        "clicks": (rng.random(count) > 0.999).astype(np.int16) * -32768,
    }


def _sndfile_decode(codes: bytes) -> np.ndarray:
    """libsndfile's decoding of one WAV block that starts from predictor 0 and index 0.

    Its first sample is the block header's predictor; a block holds 4 bytes for every 8 samples.
    """
    block = struct.pack("<hBB", 0, 0, 0) + codes
    samples = 1 + 2 * len(codes)
    layout = struct.pack("<HHIIHHHH", 0x11, 1, 16000, 8000, len(block), 4, 2, samples & 0xFFFF)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(layout)) + layout
    body += b"fact" + struct.pack("<II", 4, samples) + b"data" + struct.pack("<I", len(block))
    wav = b"RIFF" + struct.pack("<I", len(body) + len(block)) + body + block
    decoded, _ = soundfile.read(io.BytesIO(wav), dtype="int16")
    return decoded[1:]


def _plain_decode(codes: bytes) -> np.ndarray:
    samples = bytearray(4 * len(codes))
    adpcm.decode(codes, samples, adpcm.new_state(), 2 * len(codes))
    return np.frombuffer(samples, "<i2")


@pytest.mark.parametrize("name", ["sweep", "noise", "square", "silence", "clicks"])
def test_encoder_and_decoders_agree(micropython: Path, tmp_path: Path, name: str):
    signal = _signals()[name]
    source, target = tmp_path / "samples", tmp_path / "codes"
    source.write_bytes(signal.astype("<i2").tobytes())
    assert device.run(micropython, "privacy_adpcm.py", source, target) == "ok\n"
    codes = target.read_bytes()
    assert len(codes) == len(signal) // 2
    plain = _plain_decode(codes)
    np.testing.assert_array_equal(_sndfile_decode(codes), plain)
    if name == "sweep":
        error = plain.astype(float) - signal
        assert 10 * np.log10(np.mean(signal.astype(float) ** 2) / np.mean(error**2)) > 20


def test_plain_encoder_equals_the_published_first_steps():
    """Worked by hand from the document's flow chart: 0, 100, -100, 0 from a fresh state."""
    codes = bytearray(2)
    state = adpcm.new_state()
    adpcm.encode(struct.pack("<4h", 0, 100, -100, 0), codes, state, 4)
    # 0: code 0, step 7 -> 7; 100: code 7, +11, index 8; -100: -111 in steps of 16: code 15,
    # -30, index 16; 0: +19 in steps of 34: code 2, +21, index 15.
    assert bytes(codes) == bytes([0x70, 0x2F])
    assert list(state)[:2] == [32768 + 0 + 11 - 30 + 21, 15]

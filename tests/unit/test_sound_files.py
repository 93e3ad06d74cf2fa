"""Any rate, channels and length become 16 kHz mono int16; what can't is named with its reason."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from bluering.sound_files import RATE, AudioError, is_silent, peak_of, probe, read, stream
from tests.unit.validate_world import beep, write


def test_sixteen_bit_mono_is_read_bit_for_bit(tmp_path: Path) -> None:
    audio = np.random.default_rng(1).integers(-32768, 32768, 50_000).astype(np.int16)
    path = tmp_path / "noise.flac"
    sf.write(path, audio, RATE)
    assert np.array_equal(read(path), audio)
    assert probe(path).other == ""


@pytest.mark.parametrize(("rate", "suffix"), [(44_100, ".mp3"), (48_000, ".opus"), (8_000, ".wav")])
def test_other_rates_and_channels_are_converted_and_said_so(
    tmp_path: Path, rate: int, suffix: str
) -> None:
    tone = beep(0.2, 1.0, rate)
    path = write(tmp_path / f"tone{suffix}", np.stack([tone, tone], axis=1), rate)
    assert str(rate) in probe(path).other
    assert "2 channel" in probe(path).other
    samples = read(path)
    assert len(samples) == pytest.approx(1.2 * RATE, abs=0.08 * RATE)
    middle = samples[len(samples) // 3 : len(samples) // 2].astype(float) / 32768
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.2, rel=0.03)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * RATE / len(middle) == pytest.approx(440, abs=10)


def test_blocks_give_the_same_samples_as_the_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "long.wav", beep(0.2, 47.0, 22_050), 22_050)
    blocks = list(stream(path))
    assert len(blocks) >= 3
    assert np.array_equal(np.concatenate(blocks), read(path))


def test_a_stretch_starts_where_asked(tmp_path: Path) -> None:
    audio = np.arange(3 * RATE) % 1000 / 32768
    path = write(tmp_path / "ramp.wav", audio)
    assert np.array_equal(read(path, 1.5, 0.25), read(path)[24_000:28_000])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: None, "no such file"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_bytes(b"RIFF this is no sound at all" * 40), "cannot be decoded"),
        (lambda p: write(p, np.zeros(0)), "no samples"),
        (lambda p: write(p, beep(0.1)[:400]), "shorter than one window"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, make, reason: str) -> None:
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(AudioError, match=reason):
        probe(path)


def test_a_file_cut_off_in_the_middle_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    sf.write(path, np.random.default_rng(0).normal(0, 0.1, 20 * RATE), RATE)
    path.write_bytes(path.read_bytes()[:200_000])
    assert probe(path).seconds == pytest.approx(20)
    with pytest.raises(AudioError, match=r"damaged or cut off|stops decoding"):
        list(stream(path))


def test_silence_is_told_from_a_quiet_room() -> None:
    assert is_silent(peak_of(np.zeros(1000, np.int16)))
    assert is_silent(peak_of(np.array([1, -2, 0], np.int16)))
    assert not is_silent(peak_of(np.array([0, -32768, 0], np.int16)))
    assert not is_silent(
        peak_of(np.rint(np.random.default_rng(0).normal(0, 10, 1000)).astype("i2"))
    )

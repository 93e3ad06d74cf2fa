"""Every feature of the device's front end equals pymicro-features', on both word sizes."""

from pathlib import Path

import numpy as np
import pytest

from bluering import audio
from ear.audio import frontend_tables
from tests.parity import frontend_oracle
from tests.targets import device


def _recordings(corpus: Path) -> dict[str, np.ndarray]:
    """About a minute of the corpus: the first of each kind, up to ten seconds of it."""
    rows = [line.split(",") for line in (corpus / "manifest.csv").read_text().splitlines()[1:]]
    first = {label: path for path, label, *_ in reversed(rows)}
    assert len(first) > 5
    return {
        label: np.concatenate(list(audio.file_blocks(corpus / path)))[: 10 * audio.RATE]
        for label, path in first.items()
    }


def _differences(
    micropython: Path, folder: Path, signals: dict[str, np.ndarray]
) -> dict[str, tuple[int, int, int]]:
    """For each signal: frames, raw features that differ, quantised features that differ."""
    weights = folder / "weights"
    weights.write_bytes(frontend_oracle.band_weights())
    same = weights.read_bytes() == frontend_tables.BAND_WEIGHTS
    arguments: list[object] = ["-" if same else weights]
    for number, samples in enumerate(signals.values()):
        sound, oracle = folder / f"{number}.sound", folder / f"{number}.oracle"
        sound.write_bytes(samples.astype("<i2").tobytes())
        oracle.write_bytes(frontend_oracle.raw_features(samples).tobytes())
        arguments += [sound, oracle]
    lines = device.run(micropython, "frontend_parity.py", *arguments).splitlines()
    found = {}
    for name, line in zip(signals, lines, strict=True):
        frames, raw, quantised = map(int, line.split())
        print(f"{name}: {frames} frames, {raw} raw and {quantised} quantised features differ")
        found[name] = frames, raw, quantised
    return found


def test_synthetic_signals(micropython: Path, tmp_path: Path) -> None:
    found = _differences(micropython, tmp_path, frontend_oracle.signals())
    assert {name: result[1:] for name, result in found.items() if any(result[1:])} == {}
    assert sum(frames for frames, *_ in found.values()) >= 5000


def test_recordings(micropython: Path, tmp_path: Path, dev_corpus: Path) -> None:
    found = _differences(micropython, tmp_path, _recordings(dev_corpus))
    assert {name: result[1:] for name, result in found.items() if any(result[1:])} == {}
    assert sum(frames for frames, *_ in found.values()) >= 2000


def test_the_signals_reach_the_corners() -> None:
    raw = {name: frontend_oracle.raw_features(x) for name, x in frontend_oracle.signals().items()}
    assert raw["square 440 Hz"].max() > 666  # more than quantising keeps
    assert raw["silence"].max() == 0
    assert raw["speech-like"].max() > 400


@pytest.mark.parametrize("script", ["frontend_kernels.py", "frontend_heap.py"])
def test_on_device(micropython: Path, script: str) -> None:
    assert device.run(micropython, script).endswith("ok\n")

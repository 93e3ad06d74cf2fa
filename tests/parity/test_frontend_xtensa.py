"""The front end as the ESP32-S3's machine code: the same features, and few enough instructions."""

import numpy as np
import pytest

from ear.audio import frontend_tables
from tests.bench import frontend as bench
from tests.parity import frontend_oracle
from tests.targets import xtensa

HOP = frontend_oracle.HOP


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return xtensa.compile_functions(bench.KERNELS, tmp_path_factory.mktemp("kernels"))


@pytest.fixture
def machine(functions: dict[str, bytes]) -> xtensa.Xtensa:
    try:
        return xtensa.Xtensa(functions, counting=False)
    except xtensa.QemuMissingError as error:
        pytest.skip(str(error))


def _medley() -> np.ndarray:
    """A little of each signal, one after the other."""
    signals = frontend_oracle.signals().values()
    return np.concatenate([x[len(x) // 3 // HOP * HOP :][: 3 * HOP] for x in signals])


def test_features_are_equal(machine: xtensa.Xtensa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontend_tables, "BAND_WEIGHTS", frontend_oracle.band_weights())
    front_end = bench.front_end(machine)
    samples = _medley()
    raw, quantised = [], []
    for hop in samples.reshape(-1, HOP):
        if front_end.push(bytearray(hop.tobytes())):
            raw.append(front_end.raw.tolist())
            quantised.append(list(front_end.features))
    expected = frontend_oracle.raw_features(samples)
    assert len(raw) == len(samples) // HOP - 2 >= 40
    assert np.count_nonzero(expected != np.array(raw)) == 0
    assert np.count_nonzero(frontend_oracle.quantised(expected) != np.array(quantised)) == 0


def test_a_hop_costs_at_most_200_000_instructions() -> None:
    try:
        counts = bench.instructions_per_hop()
    except xtensa.QemuMissingError as error:
        pytest.skip(str(error))
    print(counts)
    assert set(counts) >= {"window", "fft_next", "filterbank"}
    assert 50_000 < counts.total() <= 200_000

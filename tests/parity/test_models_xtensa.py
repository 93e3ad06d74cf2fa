"""The spotter's kernels as the ESP32-S3's machine code: exact, and few enough instructions."""

import numpy as np
import pytest

from bluering.models.compiler import compile_model
from bluering.models.packaged import packaged
from bluering.models.tflite_reader import parse_tflite
from ear.spotter import format as layout
from tests.bench import model as bench
from tests.parity import oracle
from tests.parity.networks import stride_3_mixed_and_residual, stride_4_without_overlap
from tests.targets.xtensa import QemuMissingError, Xtensa

_STEPS = 12


@pytest.fixture(scope="module")
def machine() -> Xtensa:
    try:
        return bench.machine(counting=False)
    except QemuMissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "source",
    [
        packaged("alexa").source.read_bytes(),
        stride_3_mixed_and_residual(),
        stride_4_without_overlap(),
    ],
    ids=["alexa", "mixed_and_residual", "clamped"],
)
def test_probabilities_are_equal(source: bytes, machine: Xtensa) -> None:
    blob = compile_model(parse_tflite(source))
    stride = layout.read_header(blob).stride
    random = np.random.default_rng(5)
    features = random.integers(0, 256, (_STEPS * stride, 40)).astype(np.uint8)
    features[::7] = 255
    model = bench.MachineModel(blob, machine)
    given = [model.step(rows) for rows in features.reshape(_STEPS, stride, 40)]
    assert given == oracle.probabilities(source, features).tolist()
    assert len(set(model.arena)) > 50  # something was computed


def test_a_step_of_alexa_costs_at_most_430_000_instructions() -> None:
    try:
        counts = bench.instructions_per_step("alexa")
    except QemuMissingError as error:
        pytest.skip(str(error))
    print(counts)
    assert set(counts) == {"conv", "depthwise", "shift", "transfer"}
    assert 200_000 < counts.total() <= 430_000

"""The spotter's vector kernels on the modelled core: equal to their viper twins and to TFLM."""

from array import array
from copy import copy
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bluering.models.packaged import packaged
from bluering.native.build import SOURCES, build
from tests.parity.oracle import probabilities
from tests.peers import every_model
from tests.targets.mpyfile import native_functions
from tests.targets.native import kernels_on
from tests.targets.pie import Core, CoreError
from tests.targets.xtensa import QemuMissingError, Xtensa, compile_functions, import_module

VIPER = Path(__file__).parents[2] / "firmware" / "ear" / "spotter" / "model_kernels.py"
STEPS = 40
MODELS = every_model()


@pytest.fixture(scope="module")
def core() -> Core:
    return Core(native_functions(build(SOURCES / "spotter.py")))


@pytest.fixture(scope="module")
def viper(tmp_path_factory) -> Xtensa:
    functions = compile_functions(VIPER, tmp_path_factory.mktemp("viper"))
    try:
        return Xtensa(functions, counting=False)
    except QemuMissingError as error:
        pytest.skip(str(error))


def both(core, viper, name, *arguments):
    """Run both kernels on copies; what they leave in the last buffer, which must be the same."""
    left = []
    for machine in (viper, core):
        copies = [copy(a) if isinstance(a, array | bytearray) else a for a in arguments]
        machine.call(name, *copies)
        left.append(copies)
    assert left[0] == left[1]
    return left[0]


def parameters(random, head, outputs, r_minus_1=None, taps=None) -> array:
    words = np.zeros(8 + 4 * outputs, np.int64)
    words[: len(head)] = head
    records = words[8:].reshape(outputs, 4)
    multipliers = random.integers(1 << 30, 1 << 31, outputs)
    records[:, 0] = random.integers(-100_000, 100_000, outputs) + (1 << 30)
    records[:, 1] = multipliers & 0x7FFF | multipliers >> 15 << 16
    records[:, 2] = random.integers(0, 16, outputs) if r_minus_1 is None else r_minus_1
    if taps is not None:
        records[:, 3] = records[:, 0] + 128 * taps
    return array("I", words.astype("<u4").tobytes())


def data(random, count: int, kind: str) -> bytearray:
    if kind == "extremes":
        return bytearray(random.choice(np.array([0, 255], np.uint8), count).tobytes())
    return bytearray(random.integers(0, 256, count, np.uint8).tobytes())


@pytest.mark.parametrize("kind", ["any", "extremes"])
@pytest.mark.parametrize(("depth", "outputs"), [(16, 1), (32, 7), (64, 64), (208, 32), (960, 3)])
def test_conv(core, viper, depth, outputs, kind):
    random = np.random.default_rng(depth + outputs)
    head = depth, outputs, 2 * 70 + 1
    words = parameters(random, head, outputs)
    x, w = data(random, depth, kind), bytes(data(random, depth * outputs, kind))
    *_, y = both(core, viper, "conv", x, w, words, bytearray(outputs))
    assert len(y) == outputs


@pytest.mark.parametrize("r_minus_1", range(0, 31, 3))
def test_every_right_shift(core, viper, r_minus_1):
    random = np.random.default_rng(r_minus_1)
    words = parameters(random, (16, 40, 2 * 128 + 1), 40, r_minus_1)
    both(
        core,
        viper,
        "conv",
        data(random, 16, ""),
        bytes(data(random, 640, "")),
        words,
        bytearray(40),
    )


@pytest.mark.parametrize(
    ("taps", "channels", "pitch", "width"),
    [(1, 16, 16, 16), (5, 30, 32, 32), (9, 64, 64, 64), (21, 60, 64, 64), (7, 32, 64, 32)],
)
def test_depthwise(core, viper, taps, channels, pitch, width):
    random = np.random.default_rng(taps)
    weights = data(random, taps * width, "any")
    sums = np.frombuffer(weights, np.uint8).reshape(taps, width).astype(int) - 128
    head = taps, channels, 2 * 17 + 1, pitch, width, 1
    words = parameters(random, head, channels, taps=sums.sum(0)[:channels])
    both(
        core,
        viper,
        "depthwise",
        data(random, taps * pitch, "any"),
        weights,
        words,
        bytearray(channels),
    )


def test_longest_sums_that_a_lane_holds(core, viper):
    """32 taps of -128 * 127 are just below 20 bits; the compiler lets no longer ones through."""
    taps = 32
    x, weights = bytearray(16 * taps), bytearray([255, 1] * 8 * taps)
    sums = np.array([127, -127] * 8) * taps
    words = parameters(np.random.default_rng(1), (taps, 16, 257, 16, 16, 1), 16, 12, sums)
    for fill in (0, 255):
        x[:] = bytes([fill]) * len(x)
        both(core, viper, "depthwise", x, weights, words, bytearray(16))


@pytest.mark.parametrize("count", [1, 7, 8, 40, 41])
def test_transfer(core, viper, count):
    source = data(np.random.default_rng(count), count, "any")
    *_, to, _ = both(core, viper, "transfer", source, bytearray(count), count)
    assert to == source


def test_shift(core, viper):
    random = np.random.default_rng(3)
    regions = array("I", [0, 80, 120, 0, 208, 36, 4, 0, 256, 512, 64, 0, 900, 4, 4, 0])
    both(core, viper, "shift", data(random, 1024, "any"), regions, 4)


def native_model(core, blob: bytes, **viper):
    module = import_module("ear.spotter.model", "ear.spotter.model_kernels", core)
    return module.Model(blob, kernels_on(core, viper))


def features(seed: int, rows: int) -> np.ndarray:
    """Rows that move like a recording's: quiet stretches, loud ones, and single values anywhere."""
    random = np.random.default_rng(seed)
    loud = np.repeat(random.integers(0, 256, (rows // 8 + 1, 40)), 8, axis=0)[:rows]
    some = random.integers(0, 256, (rows, 40))
    return np.where(random.random((rows, 40)) < 0.3, some, loud).astype(np.uint8)


def stream(model, rows: np.ndarray) -> list[int]:
    """The probability after each step."""
    row = bytearray(40)
    got = []
    for values in rows:
        row[:] = values.tobytes()
        if model.push(row):
            got.append(model.probability)
    return got


@pytest.mark.parametrize("name", MODELS)
def test_models_answer_as_tflm_does(core, name):
    word = MODELS[name]
    model = native_model(core, word.blob)
    rows = features(len(name), STEPS * model.stride)
    got = stream(model, rows)
    expected = probabilities(word.source.read_bytes(), rows)
    assert got == expected.tolist()
    assert len(got) == STEPS


def test_layer_that_does_not_suit_vectors_runs_in_viper(core):
    """Sums too long for a lane, rows or inputs that aren't aligned."""
    blob = bytearray(packaged("alexa").blob)
    module = import_module("ear.spotter.plan", "ear.spotter.model_kernels", core)
    layout = import_module("ear.spotter.format", "ear.spotter.model_kernels", core)
    layers = layout.read_layers(blob, layout.read_header(blob))
    arena = bytearray(1 << 13)
    kernels = kernels_on(core)
    firsts = [module._calls(layer, blob, arena, kernels)[0] for layer in layers]
    assert {kernel.args for kernel, _ in firsts} == {("conv",), ("depthwise",)}
    depthwise = next(layer for layer in layers if layer.kind == layout.DEPTHWISE)
    fallback = partial(print)
    kernels = kernels_on(core, {"conv": fallback, "depthwise": fallback})

    def chosen(layer, file):
        return module._calls(layer, file, arena, kernels)[0][0]

    assert chosen(depthwise, blob) is not fallback
    assert chosen(depthwise._replace(x=depthwise.x + 4), blob) is fallback
    for word, value in ((3, 60), (5, 0)):
        changed = bytearray(blob)
        changed[depthwise.parameters + 4 * word] = value
        assert chosen(depthwise, changed) is fallback


def test_reading_past_the_weights_is_seen(core):
    random = np.random.default_rng(5)
    words = parameters(random, (32, 4, 257), 4)
    with pytest.raises(CoreError, match="outside the buffers"):
        core.call("conv", bytes(32), bytes(32 * 3), words, bytearray(4))

"""The front end's native kernels as machine code: equal to their viper twins and to the C code."""

import random
from array import array
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from pymicro_features import MicroFrontend

from bluering.native.build import SOURCES, build
from tests.targets.mpyfile import native_functions
from tests.targets.native import NativeXtensa
from tests.targets.pie import Core
from tests.targets.xtensa import QemuMissingError, Xtensa, compile_functions, import_module

VIPER = Path(__file__).parents[2] / "firmware" / "ear" / "audio" / "frontend_kernels.py"
HOPS = 12


@pytest.fixture(scope="module")
def native() -> dict[str, bytes]:
    return native_functions(build(SOURCES / "frontend.py"))


@pytest.fixture(scope="module")
def viper(tmp_path_factory) -> dict[str, bytes]:
    return compile_functions(VIPER, tmp_path_factory.mktemp("viper"))


def machine(kind, functions, **options):
    try:
        return kind(functions, **options)
    except QemuMissingError as error:
        pytest.skip(str(error))


class Twins:
    """Calls both of two machines and fails where a result or a buffer differs."""

    def __init__(self, one, other) -> None:
        self.functions = one.functions
        self._one, self._other = one, other

    def call(self, name, *arguments):
        copies = [copy(a) if isinstance(a, array | bytearray) else a for a in arguments]
        result = self._one.call(name, *arguments)
        assert self._other.call(name, *copies) == result, name
        assert copies == list(arguments), name
        return result


def front_end(machine):
    return import_module("ear.audio.frontend", "ear.audio.frontend_kernels", machine).FrontEnd()


def signals() -> dict[str, np.ndarray]:
    """HOPS hops each, int16: the extremes, and what lies between."""
    chooser = np.random.default_rng(8)
    t = np.arange(160 * HOPS)
    noise = chooser.normal(0, 1, len(t))
    return {
        "silence": np.zeros(len(t)),
        "one bit": chooser.integers(-1, 2, len(t)),
        "quiet": 40 * noise,
        "speech level": 3000 * noise * (1 + np.sin(t / 900)),
        "clipping": 30000 * noise,
        "full square wave": np.where(t // 8 % 2, 32767, -32768),
        "lowest sample": np.full(len(t), -32768),
        "one lowest sample": np.where(t % 480 == 239, -32768, 3),
        "sweep": 32767 * np.sin(t * t / 6e4),
        "click": np.where(t == 900, 32767, 0),
    }


def hops(signal: np.ndarray) -> list[array]:
    samples = np.clip(np.round(signal), -32768, 32767).astype("<i2")
    return [array("h", hop.tobytes()) for hop in samples.reshape(-1, 160)]


@pytest.mark.parametrize("name", signals())
def test_every_kernel_equals_its_viper_twin(name, native, viper):
    one = machine(Xtensa, viper, counting=False)
    other = machine(NativeXtensa, native, counting=False)
    end = front_end(Twins(one, other))
    assert sum(end.push(hop) for hop in hops(signals()[name])) == HOPS - 2


@pytest.mark.parametrize("name", ["speech level", "full square wave", "sweep"])
def test_model_of_the_core_and_qemu_agree(name, native):
    end = front_end(Twins(machine(NativeXtensa, native, counting=False), Core(native)))
    assert sum(end.push(hop) for hop in hops(signals()[name])[:4]) == 2


@pytest.mark.parametrize("name", signals())
def test_features_are_those_of_the_c_code(name, native):
    oracle = MicroFrontend()
    end = front_end(machine(NativeXtensa, native, counting=False))
    compared = 0
    for hop in hops(signals()[name]):
        expected = oracle.process_samples(hop.tobytes()).features
        if end.push(hop):
            assert list(end.raw) == [round(value / 0.0390625) for value in expected]
            compared += 1
    assert compared == HOPS - 2


def test_square_roots_are_rounded_to_the_nearest(native):
    chooser = random.Random(40)
    sums = [chooser.getrandbits(bits) for bits in range(1, 41)]
    sums += [root * root + root + step for root in (3, 255, 4095, 65535) for step in (0, 1)]
    sums += [0, 1, (1 << 22) - 1, 1 << 22, (1 << 32) - 1, 1 << 32, (1 << 40) - 1]
    sums += [1] * (-len(sums) % 40)
    table = array("I", [int((n << 32) ** 0.5) for n in range(257)])
    for start in range(0, len(sums), 40):
        words = array("I", [w for s in sums[start : start + 40] for w in (s >> 14, s & 16383)])
        levels = array("I", bytes(160))
        Core(native).call("square_roots", 0, 0, words, table, 0, levels)
        for total, level in zip(sums[start : start + 40], levels, strict=True):
            root = round_root(total)
            assert level == (65535 if root == 65536 and total < 1 << 32 else root)


def round_root(total: int) -> int:
    root = int(total**0.5) + 2
    while root * root - root + 1 > total and root:
        root -= 1
    return root

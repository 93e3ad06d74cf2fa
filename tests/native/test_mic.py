"""The microphone's native kernel as machine code: exact, on the way to the front end, and cheap."""

import random
from array import array
from types import SimpleNamespace
from typing import Any

import pytest

from tests.native import world
from tests.targets.native import NativeXtensa, kernels_on
from tests.targets.pie import Core
from tests.targets.xtensa import QemuMissingError, import_module

EDGES = [0, 1, -1, 2**31 - 1, -(2**31), 65535, 65536, -65536, 32767 << 14, -32768 << 14]


@pytest.fixture(scope="module")
def native() -> dict[str, bytes]:
    return world.native_code("mic")


def samples(count: int) -> array:
    chooser = random.Random(count)
    words = EDGES + [chooser.getrandbits(32) - 2**31 >> chooser.randrange(24) for _ in range(count)]
    return array("i", words[:count])


def narrowed(words: array, shift: int) -> array:
    return array("h", [min(max(word >> shift, -32768), 32767) for word in words])


@pytest.mark.parametrize("shift", range(1, 17))
def test_exact_for_every_shift(native, shift):
    words, hop = samples(160), array("h", bytes(320))
    Core(native).call("narrow", words, hop, 160, shift)
    assert hop == narrowed(words, shift)


@pytest.mark.parametrize("count", [-1, 0, 1, 7, 8, 9, 23])
def test_no_sample_more_than_asked_for(native, count):
    words, hop = samples(32), array("h", [77] * 32)
    Core(native).call("narrow", words, hop, count, 11)
    taken = max(count, 0)
    assert hop[:taken] == narrowed(words[:taken], 11)
    assert set(hop[taken:]) <= {77}


def test_model_of_the_core_and_qemu_agree(native):
    try:
        machine = NativeXtensa(native)
    except QemuMissingError as error:
        pytest.skip(str(error))
    words, hop = samples(43), array("h", bytes(86))
    machine.call("narrow", words, hop, 43, 9)
    assert hop == narrowed(words, 9)
    core = Core(native)
    core.call("narrow", words, hop, 43, 9)
    assert core.counts == machine.counts


def test_a_sample_costs_less_than_six_instructions(native):
    core = Core(native)
    core.call("narrow", samples(160), array("h", bytes(320)), 160, 16)
    assert 160 < core.counts["narrow"] < 6 * 160


def test_a_hop_is_read_with_the_native_kernel(native, monkeypatch):
    words = samples(160)

    def readinto(buffer):
        buffer[:] = words.tobytes()
        return len(buffer)

    core: Any = Core(native)
    bus = SimpleNamespace(readinto=readinto, deinit=lambda: None)
    mic = import_module("ear.audio.mic", "ear.audio.mic_kernels", core)
    clock = SimpleNamespace(ticks_us=lambda: 0, ticks_diff=lambda end, start: end - start)
    monkeypatch.setattr(mic, "time", clock)
    microphone = mic.Microphone(lambda: bus, 32, 13, 20000, kernels_on(core))
    microphone.start()
    assert microphone.read() == 0
    assert array("h", bytes(microphone.hops[0])) == narrowed(words, 13)
    assert core.counts["narrow"]

"""Sequences of kernel calls: the native ``run`` does what the loop in Python does."""

import random
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from ear import sequence
from ear.kernels import Kernels
from ear.native import answers
from ear.sequence import INPUT, Result
from tests.native import world
from tests.native.test_frontend import hops, signals
from tests.native.test_spotter import MODELS, features, stream
from tests.targets.native import kernels_on
from tests.targets.pie import Core, CoreError
from tests.targets.together import Together
from tests.targets.xtensa import QemuMissingError, compile_functions, import_module

NATIVE = {**world.native_code("frontend"), **world.native_code("spotter")}
FLIPS = 60
RUN = world.native_code("sequence")


def front_end(machine, kernels):
    frontend = import_module("ear.audio.frontend", "ear.audio.frontend_kernels", machine)
    return frontend.FrontEnd(kernels)


def model(machine, name, kernels):
    module = import_module("ear.spotter.model", "ear.spotter.model_kernels", machine)
    return module.Model(MODELS[name].blob, kernels)


def together(functions) -> tuple[Together, Kernels]:
    try:
        machine = Together({**functions, **RUN})
    except QemuMissingError as error:
        pytest.skip(str(error))
    kernels = Kernels(SimpleNamespace())
    for name in functions:
        kernels.use(name, partial(machine.call, name), machine.address)
    kernels.run_with(partial(machine.call, "run"), machine.locate)
    return machine, kernels


@pytest.fixture(scope="module")
def viper(tmp_path_factory) -> dict[str, bytes]:
    source = world.FIRMWARE / "ear" / "audio" / "frontend_kernels.py"
    return compile_functions(source, tmp_path_factory.mktemp("viper"))


@pytest.mark.parametrize("kind", ["native", "viper", "mixed"])
def test_front_end_under_qemu(viper, kind):
    """Windows of registers overflow there: viper calls back into MicroPython for each argument."""
    native = world.native_code("frontend")
    mixed = {name: (viper if index % 2 else native)[name] for index, name in enumerate(native)}
    functions = {"native": native, "viper": {n: viper[n] for n in native}, "mixed": mixed}[kind]
    machine, kernels = together(functions)
    end = front_end(machine, kernels)
    plain = Core(native)
    looped = front_end(plain, kernels_on(plain))
    for name in ("speech level", "one bit", "full square wave"):
        for hop in hops(signals()[name])[:3]:
            assert end.push(hop) == looped.push(hop)
            assert (end.peak, end.raw, end.features) == (looped.peak, looped.raw, looped.features)


@pytest.mark.parametrize("name", ["alexa", "computer", "hey_echo"])
def test_model_with_vector_kernels(name):
    core, plain = Core({**NATIVE, **RUN}), Core(NATIVE)
    running, looped = model(core, name, kernels_on(core)), model(plain, name, kernels_on(plain))
    rows = features(8, 6 * running.stride)
    assert stream(running, rows) == stream(looped, rows)
    counts = core.counts.copy()
    assert counts.pop("run")
    assert counts == plain.counts


def test_a_hop_and_a_step_are_one_call_each():
    core = Core({**NATIVE, **RUN})
    kernels = kernels_on(core)
    calls = []

    def run(*arguments):
        calls.append(arguments)
        return core.call("run", *arguments)

    kernels.run_with(run, core.locate)
    end, spotter = front_end(core, kernels), model(core, "alexa", kernels)
    hop = hops(signals()["quiet"])[0]
    for _ in range(2):
        end.push(hop)
    assert calls == []
    end.push(hop)
    assert len(calls) == 1
    for _ in range(spotter.stride):
        spotter.push(end.features)
    assert len(calls) == 2


def test_results_and_input_go_where_they_are_arguments():
    said = []

    def kernel(*arguments):
        said.append(arguments)
        return sum(arguments)

    def silent(*arguments):
        said.append(arguments)

    calls = (
        (kernel, (1, INPUT, 2)),
        (silent, (Result(0), 5)),
        (kernel, (-7, INPUT, Result(0), Result(0), 4, 3)),
        (kernel, (Result(2), -1, Result(0), 0, 9)),
        (kernel, (1, 2, 3, Result(3))),
    )
    core = Core(RUN)
    kernels = Kernels(SimpleNamespace())
    kernels.use("kernel", kernel, core.address)
    looped = kernels.sequence(calls)
    kernels.run_with(partial(core.call, "run"), core.locate)
    native = kernels.sequence(calls)
    for value in (10, 0, 12345, -3):
        said.clear()
        first = looped.run(looped.program, value)
        expected = said.copy()
        assert expected[0] == (1, value, 2)
        assert expected[1] == (first, 5) == (value + 3, 5)
        assert expected[4][3] == sum(expected[3])
        said.clear()
        assert native.run(native.program, value) == first
        assert said == expected


def test_without_addresses_it_is_a_loop():
    kernels = Kernels(SimpleNamespace())
    kernels.run_with(print, print)
    assert kernels.sequence(((max, (INPUT, 2)),)).run is sequence.run


def runs(code: bytes) -> bool:
    """The known-answer test of a ``run``; a crash is no answer."""
    plain = Core({**world.native_code("frontend"), **world.native_code("mic")})
    viper = SimpleNamespace(**{name: partial(plain.call, name) for name in plain.functions})
    core = Core({**world.native_code("frontend"), "run": code})
    core.limit = 10_000
    kernels = kernels_on(core)
    kernels.module = viper
    native = SimpleNamespace(frontend=kernels, mic=SimpleNamespace(module=viper))
    try:
        return answers.runs(native, partial(core.call, "run"), core.address, core.locate)
    except CoreError:
        return False


def outcome(code: bytes) -> list:
    core = Core({**NATIVE, "run": code})
    end, spotter = front_end(core, kernels_on(core)), model(core, "alexa", kernels_on(core))
    heard = []
    for hop in hops(signals()["speech level"])[: 2 + spotter.stride]:
        if end.push(hop):
            spotter.push(end.features)
        heard.append((end.peak, list(end.raw), spotter.probability))
    return heard


def test_a_run_that_hands_on_only_a_byte_of_a_result_is_refused():
    code = bytearray(RUN["run"])
    at = bytes(code).rindex(bytes.fromhex("a26900"))  # s32i a10, a9, 0
    code[at + 1] ^= 0x20  # s8i
    assert not runs(bytes(code))


def test_no_flipped_bit_of_run_gives_a_wrong_result():
    code = RUN["run"]
    assert runs(code)
    usual = outcome(code)
    survivors = []
    for bit in random.Random(20).sample(range(8 * len(code)), FLIPS):
        flipped = bytearray(code)
        flipped[bit // 8] ^= 1 << bit % 8
        if runs(bytes(flipped)):
            survivors.append(bit)
            assert outcome(bytes(flipped)) == usual, bit
    print(len(survivors), "of", FLIPS, "pass the known-answer test:", survivors)
    assert len(survivors) < FLIPS // 5


def test_no_kernel_but_the_one_of_the_object_is_called():
    core = Core({**NATIVE, **RUN})
    kernels: Any = kernels_on(core)
    code, _ = core.locate(kernels.quantise)
    _, other = core.locate(kernels.slide)
    kernels.run_with(partial(core.call, "run"), lambda _: (code, other))
    wrong = kernels.sequence(((kernels.quantise, (INPUT, 0)),))
    with pytest.raises(CoreError, match="the object of another function"):
        wrong.run(wrong.program, 0)

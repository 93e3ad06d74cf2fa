"""The emulator's wrapper itself: results, counts, and that it notices what a kernel may not do."""

import array
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import ear.audio
from bluering.native.errors import MpyFormatError
from tests.targets.mpyfile import native_functions
from tests.targets.xtensa import (
    QemuMissingError,
    Xtensa,
    XtensaError,
    compile_functions,
    import_module,
)

KERNELS = """
import micropython

NOT_A_FUNCTION = 5

@micropython.viper
def add(a: int, b: int) -> int:
    return a + b

@micropython.viper
def fill(p: ptr16, n: int, value: int):
    while n:
        n -= 1
        p[n] = value

@micropython.viper
def duplicate(p: ptr8, q: ptr8):
    q[0] = p[1]

@micropython.viper
def divide(a: int) -> int:
    return a // 3
"""


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("kernels")
    source = folder / "kernels.py"
    source.write_text(KERNELS)
    return compile_functions(source, folder)


@pytest.fixture
def machine(functions: dict[str, bytes]) -> Xtensa:
    try:
        return Xtensa(functions)
    except QemuMissingError as error:
        pytest.skip(str(error))


def test_names_of_the_functions(functions: dict[str, bytes]) -> None:
    assert list(functions) == ["add", "fill", "duplicate", "divide"]


def test_arguments_and_result_are_signed_words(machine: Xtensa) -> None:
    assert machine.call("add", -7, 5) == -2
    assert machine.call("add", 0x7FFFFFFF, 1) == -0x80000000


def test_arrays_are_updated_in_place(machine: Xtensa) -> None:
    words = array.array("H", [1, 2, 3, 4])
    assert machine.call("fill", words, 3, 0xBEEF) == 0
    assert words.tolist() == [0xBEEF, 0xBEEF, 0xBEEF, 4]


def test_the_same_object_twice_is_the_same_memory(machine: Xtensa) -> None:
    data = bytearray([1, 2])
    machine.call("duplicate", data, data)
    assert data == bytes([2, 2])


def test_the_count_grows_by_the_same_number_each_turn(machine: Xtensa) -> None:
    totals = []
    for turns in range(4):
        machine.counts.clear()
        machine.call("fill", array.array("H", bytes(8)), turns, 1)
        totals.append(machine.counts["fill"])
    steps = {after - before for before, after in pairwise(totals)}
    assert len(steps) == 1
    assert 5 < steps.pop() < 30


def test_without_counting_the_result_is_the_same(functions: dict[str, bytes]) -> None:
    try:
        machine = Xtensa(functions, counting=False)
    except QemuMissingError as error:
        pytest.skip(str(error))
    assert machine.call("add", 2, 3) == 5
    assert not machine.counts


def test_a_write_past_the_end_is_seen(machine: Xtensa) -> None:
    with pytest.raises(XtensaError, match="fill wrote past the end"):
        machine.call("fill", array.array("H", bytes(8)), 5, 1)


def test_a_write_into_bytes_is_seen(machine: Xtensa) -> None:
    with pytest.raises(XtensaError, match="duplicate wrote into bytes"):
        machine.call("duplicate", b"\1\2", b"\0\0")


def test_a_crash_is_told(machine: Xtensa) -> None:
    with pytest.raises(XtensaError, match="fill crashed"):
        machine.call("fill", 0x7F000000, 1, 1)


def test_calling_the_runtime_is_told(machine: Xtensa) -> None:
    with pytest.raises(XtensaError, match="entry 46"):
        machine.call("divide", 9)


def test_a_module_of_the_firmware_runs_on_it_and_stays_apart(machine: Xtensa) -> None:
    modules, attributes = dict(sys.modules), dict(vars(ear.audio))
    module = import_module("ear.audio.frontend", "ear.audio.frontend_kernels", machine)
    assert module.frontend_kernels.add(1, 2) == 3
    assert machine.counts["add"] > 10
    assert sys.modules.get("ear.audio.frontend") is modules.get("ear.audio.frontend")
    assert vars(ear.audio).get("frontend") is attributes.get("frontend")
    assert "ear.audio.frontend_kernels" not in sys.modules


@pytest.mark.parametrize("damage", [b"", b"M\x05+\x1f", b"M\x06+\x1f\x05"])
def test_other_files_are_refused(damage: bytes) -> None:
    with pytest.raises(MpyFormatError):
        native_functions(damage)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "kernels.py"
    source.write_text(KERNELS)
    compile_functions(source, tmp_path)
    mpy = bytearray((tmp_path / "kernels.mpy").read_bytes())
    mpy[2] = 5 << 2 | mpy[2] & 3  # ARMv7-M
    with pytest.raises(MpyFormatError, match="architecture 5"):
        native_functions(bytes(mpy))


def test_a_failing_compiler_is_told(tmp_path: Path) -> None:
    source = tmp_path / "broken.py"
    source.write_text("def (:\n")
    with pytest.raises(XtensaError, match=r"mpy-cross failed on broken\.py"):
        compile_functions(source, tmp_path)

"""Assembler sources: their language, and errors that name the line."""

import capstone
import pytest

from bluering.native.build import SOURCES, build, native_functions
from bluering.native.errors import NativeBuildError
from bluering.native.instructions import INSTRUCTIONS
from bluering.native.mpy import parse
from bluering.native.source import Line, read_source
from tests.targets.mpyfile import native_functions as functions_by_name
from tests.targets.pie import Core

HEADER = "import micropython\n\n\n"
KERNEL = HEADER + "@micropython.asm_xtensa\ndef kernel():\n"


def write(tmp_path, body: str, before: str = ""):
    path = tmp_path / "kernels.py"
    path.write_text(before + KERNEL + body)
    return path


def run(path, *arguments) -> int:
    return Core(functions_by_name(build(path))).call("kernel", *arguments)


def test_macros_constants_and_unrolled_loops(tmp_path):
    before = """
BASE = 3
STEP = BASE * 2 + 1  # 7

def add_up(total, n):
    for i in range(n):
        addi(total, total, STEP - i)
"""
    body = """
    movi_n(a2, 0)
    add_up(a2, 3)
    add_up(a2, 2)
    slli(a2, a2, 1)
    addi(a2, a2, 1)
"""
    assert run(write(tmp_path, body, before)) == (7 + 6 + 5) + (7 + 6)


def test_labels_of_a_macro_belong_to_one_call(tmp_path):
    before = """
def at_least_ten(x, t):
    movi_n(t, 10)
    bge(x, t, DONE)
    mov(x, t)
    label(DONE)
"""
    body = """
    l32i(a2, a5, 0)
    srai(a2, a2, 1)
    l32i(a3, a5, 4)
    srai(a3, a3, 1)
    at_least_ten(a2, a4)
    at_least_ten(a3, a4)
    add(a2, a2, a3)
    slli(a2, a2, 1)
    addi(a2, a2, 1)
"""
    path = write(tmp_path, body, before)
    assert [run(path, 3, 4), run(path, 30, 4), run(path, 3, 40)] == [20, 40, 50]


def test_instructions_as_a_macros_parameters(tmp_path):
    before = "def apply(operation, x):\n    operation(x, x, 2)\n\n\n"
    body = """
    movi(a2, 41)
    apply(slli, a2)
    apply(addi, a2)
    addi(a2, a2, 1)
"""
    assert run(write(tmp_path, body, before)) == (41 * 4 + 2) // 2


@pytest.mark.parametrize(("times", "expected"), [(0, 0), (1, 5), (7, 35)])
def test_hardware_loop(tmp_path, times, expected):
    body = """
    l32i(a3, a5, 0)
    srai(a3, a3, 1)
    movi_n(a2, 0)
    loopnez(a3, END)
    addi(a2, a2, 2)
    nop()
    addi(a2, a2, 3)
    label(END)
    slli(a2, a2, 1)
    addi(a2, a2, 1)
"""
    assert run(write(tmp_path, body), times) == expected


@pytest.mark.parametrize(
    ("body", "line", "complaint"),
    [
        ("    nop()\n    extui(a2, a3, 40, 1)\n", 7, "40 is out of range"),
        ("    nop()\n\n    bnez(a2, NOWHERE)\n", 8, "no label NOWHERE"),
        ("    label(A)\n    label(A)\n", 7, "label A is there twice"),
        ("    nonsense(a2)\n", 6, "nonsense"),
        ("    nop()\n    l32i(a2, a3, 4000)\n", 7, "l32i"),
        ("    x = 3\n", 6, "expected an instruction"),
        ("    addi(a2, a2, TYPO)\n", 6, "addi"),
        ("    slli(a2, a2, a3 + 1)\n", 6, "a3 isn't a constant"),
        ("    for i in (1, 2):\n        nop()\n", 6, "range of constants"),
        ("    loop(a2, END)\n    label(BACK)\n    label(END)\n    j(BACK\n", 9, "closed"),
        ("    loop(a2, E)\n" + "    nop()\n" * 90 + "    label(E)\n", 6, "too far"),
    ],
)
def test_errors_name_the_line(tmp_path, body, line, complaint):
    path = write(tmp_path, body)
    with pytest.raises(NativeBuildError, match=complaint) as caught:
        build(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_error_in_a_macro_names_the_macros_line(tmp_path):
    path = write(tmp_path, "    bad(a2)\n", "def bad(x):\n    nop()\n    l8ui(x, x, 256)\n\n\n")
    with pytest.raises(NativeBuildError, match="l8ui") as caught:
        build(path)
    assert str(caught.value).startswith(f"{path}:3: ")


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.py")), ids=lambda path: path.stem)
def test_machine_code_is_what_the_source_says(source):
    """Every instruction, mpy-cross's own too, as an independent disassembler reads it."""
    disassembler = capstone.Cs(capstone.CS_ARCH_XTENSA, capstone.CS_MODE_XTENSA_ESP32S3)
    kernels = read_source(source)
    for kernel, raw in zip(kernels, native_functions(parse(build(source))), strict=True):
        start = 4 + 4 * kernel.literals if kernel.literals else 0
        found = list(disassembler.disasm(raw.code[start:], start))
        body = found[2:-2]
        assert [i.mnemonic for i in found[:2] + found[-2:]] == [
            "entry", "s32i.n", "l32i.n", "retw.n",
        ]  # fmt: skip
        assert len(body) == len(kernel.lines)
        for instruction, line in zip(body, kernel.lines, strict=True):
            assert _plain(instruction.mnemonic) == _manual(line), line
            operands = instruction.op_str.split(", ") if instruction.op_str else []
            for operand, expected in zip(operands, line.operands, strict=False):
                if isinstance(expected, str):
                    assert operand == expected, line
                elif line.name == "movi":
                    literal = int(operand[1:], 0) if operand[1:].strip()[0] != "-" else None
                    assert literal is None or literal >= 4
                elif operand.startswith("."):
                    assert int(operand[1:].replace(" ", "").replace("+", ""), 0) - 4 == expected
                else:
                    assert int(operand, 0) == expected, line


def _plain(name: str) -> str:
    """The manual's name for one of the source's, or of capstone's, with underscores."""
    return name.replace(".", "_").rstrip("_")


def _manual(line: Line) -> str:
    return {"movi": "l32r", "movi_12": "movi", "mov": "mov_n"}.get(line.name, _plain(line.name))


def test_no_instruction_is_listed_in_vain():
    kernels = [kernel for path in SOURCES.glob("*.py") for kernel in read_source(path)]
    assert {line.name for kernel in kernels for line in kernel.lines} >= set(INSTRUCTIONS)

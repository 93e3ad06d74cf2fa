"""The machine code of each instruction, read back by an independent disassembler."""

import itertools

import capstone
import pytest

from bluering.native.instructions import INSTRUCTIONS

DISASSEMBLER = capstone.Cs(capstone.CS_ARCH_XTENSA, capstone.CS_MODE_XTENSA_ESP32S3)


def samples(kind: str, width: int) -> list[str | int]:
    """Operands of a kind, the ends of its range among them."""
    if kind in "aq":
        return [f"{kind}{n}" for n in (0, 1, 2, 5, (1 << width) - 1)]
    if kind == "L":
        return [-(1 << width - 1), -4, 0, 1, (1 << width - 1) - 1]
    if kind == "E":
        return [1, 2, 100, (1 << width) - 1]
    if kind == "M":
        return [-1, 1, 8, 15]
    step = int(kind[1:])
    if kind[0] == "+":
        return [step, step + 1, step + (1 << width) - 1]
    if kind[0] == "u":
        return [0, step, step * ((1 << width) - 1)]
    return [-step << width - 1, -step, 0, step, step * ((1 << width - 1) - 1)]


def read_back(word: int, size: int) -> tuple[str, list[str | int]]:
    """Name and operands as the disassembler sees them, distances as numbers."""
    (found,) = DISASSEMBLER.disasm(word.to_bytes(size, "little"), 0, 1)
    operands: list[str | int] = []
    for part in filter(None, found.op_str.split(", ")):
        if part[0] in "aq":
            operands.append(part)
        elif part[0] == ".":
            operands.append(int(part[1:].replace(" ", "").replace("+", ""), 0) - 4)
        else:
            operands.append(int(part, 0))
    return found.mnemonic, operands


def combinations():
    for name, instruction in INSTRUCTIONS.items():
        widths = [instruction.bits.lower().count(letter) for letter, _ in instruction.operands]
        choices = [
            samples(kind, width)
            for (_, kind), width in zip(instruction.operands, widths, strict=True)
        ]
        yield pytest.param(instruction, list(itertools.product(*choices)), id=name)


@pytest.mark.parametrize(("instruction", "operands"), list(combinations()))
def test_capstone_reads_what_was_written(instruction, operands):
    for chosen in operands:
        name, found = read_back(instruction.encode(*chosen), instruction.size)
        assert name == instruction.name.removesuffix("_12").rstrip("_").replace("_", ".").replace(
            "accx.0", "accx_0"
        ).replace("qacc.l.", "qacc_l_").replace("qacc.h.", "qacc_h_")
        assert found == list(chosen)


@pytest.mark.parametrize(
    ("name", "operands", "complaint"),
    [
        ("extui", ("a2", "a3", 8), "takes 4 operands"),
        ("extui", ("a2", "a3", 32, 8), "32 is out of range"),
        ("extui", ("a2", "a3", 0, 17), "17 is out of range"),
        ("max_", ("a2", "a16", "a3"), "expects a register a0..a15"),
        ("max_", ("a2", "q1", "a3"), "expects a register a0..a15"),
        ("max_", ("a2", 1, "a3"), "expects a register a0..a15"),
        ("ee_vld_128_ip", ("q8", "a2", 16), "expects a register q0..q7"),
        ("ee_vld_128_ip", ("q0", "a2", 8), "a multiple of 16"),
        ("ee_vld_128_ip", ("q0", "a2", 2048), "out of range"),
        ("ee_vld_128_ip", ("q0", "a2", "a3"), "expects a number"),
        ("addi_n", ("a2", "a2", 0), "out of range"),
        ("loop", ("a2", -1), "the label is too far"),
        ("beq", ("a2", "a3", 128), "the label is too far"),
    ],
)
def test_operand_that_does_not_fit_is_refused(name, operands, complaint):
    with pytest.raises(ValueError, match=complaint):
        INSTRUCTIONS[name].encode(*operands)


@pytest.mark.parametrize(
    ("name", "operands", "word"),
    [
        # Words that the manual's bit fields and Espressif's assembler agree on.
        ("ee_vld_128_ip", ("q5", "a6", -2048), 0xE38064),
        ("ee_vst_128_ip", ("q5", "a6", -2048), 0xEA8064),
        ("ee_zero_qacc", (), 0x250844),
        ("ee_zero_accx", (), 0x250804),
    ],
)
def test_words_of_the_manual(name, operands, word):
    assert INSTRUCTIONS[name].encode(*operands) == word

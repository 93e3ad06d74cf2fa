"""Finds the native functions of an ``.mpy`` file by name.

A viper function doesn't carry its name; the module's byte code does, where it makes the function
and stores it. Byte code: MicroPython's ``py/bc.h``. A name that is one of MicroPython's built-in
strings ("copy", "append") is in the file only as a number.
"""

from collections.abc import Iterator

from bluering.native.errors import MpyFormatError
from bluering.native.mpy import ARCH_XTENSAWIN, Kind, parse

_STORE_NAME, _MAKE_FUNCTION = 0x16, 0x32
# Of opcodes 0x00-0x0f, 0x10-0x1f ...: what follows them; two bits each, from bc.h.
_LAYOUTS = 0x000003A4
_NUMBER_LAYOUTS, _JUMP_LAYOUT = (1, 2), 3


def native_functions(mpy: bytes) -> dict[str, bytes]:
    """The machine code of each viper function, by name, as it lies in executable memory.

    Raises `MpyFormatError` for another format or architecture.
    """
    file = parse(mpy)
    if file.arch != ARCH_XTENSAWIN:
        raise MpyFormatError(f"an .mpy for architecture {file.arch}, not for xtensawin")
    functions = file.module.children
    return {
        _text(file.names[name]): functions[child].code
        for name, child in _definitions(file.module.code)
        if functions[child].kind is Kind.VIPER
    }


def _text(name: bytes) -> str:
    """A string's entry: its length and kind as a number, then the text and a zero."""
    length, start = _number(name, 0)
    if length & 1:
        return f"<built-in string {length >> 1}>"
    return name[start:-1].decode()


def _definitions(bytecode: bytes) -> list[tuple[int, int]]:
    """(string number of the name, child number) of each function that the module stores."""
    found, made = [], None
    for opcode, argument in _instructions(bytecode):
        if opcode == _STORE_NAME and made is not None:
            found.append((argument, made))
        made = argument if opcode == _MAKE_FUNCTION else None
    return found


def _instructions(bytecode: bytes) -> Iterator[tuple[int, int]]:
    """(opcode, its argument or 0)."""
    at = _prelude_length(bytecode)
    while at < len(bytecode):
        opcode, argument = bytecode[at], 0
        at += 1
        layout = _LAYOUTS >> 2 * (opcode >> 4) & 3
        if layout in _NUMBER_LAYOUTS:
            argument, at = _number(bytecode, at)
        elif layout == _JUMP_LAYOUT:
            at += 2 if bytecode[at] & 0x80 else 1
        if opcode & 0x9E == 0:
            at += 1
        yield opcode, argument


def _prelude_length(bytecode: bytes) -> int:
    """The bytes before the first instruction: signature, sizes, and what the sizes tell."""
    at = _number(bytecode, 0)[1]
    end = _number(bytecode, at)[1]
    information = cells = 0
    for place, byte in enumerate(bytecode[at:end]):  # xIIIIIIC
        information |= (byte >> 1 & 0x3F) << 6 * place
        cells |= (byte & 1) << place
    return end + information + cells


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number, seven bits a byte with the highest first; where it ends."""
    value = 0
    while True:
        value = value << 7 | data[at] & 0x7F
        at += 1
        if not data[at - 1] & 0x80:
            return value, at

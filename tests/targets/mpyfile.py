"""Reads the native functions out of an ``.mpy`` file.

The format is the one of MicroPython's documentation ("MicroPython .mpy files", version 6): a
header, a table of strings and one of constants, then the module's byte code with the native
functions as its children. A viper function doesn't carry its name; the module's byte code does,
where it makes the function and stores it. A name that is one of MicroPython's built-in strings
("copy", "append") is in the file only as a number.
"""

_MAGIC = b"M\x06"
_XTENSAWIN = 10
_BYTECODE, _VIPER = 0, 2
_SECTIONS_AFTER_CODE = 0x70  # scope flags of C modules: relocations, read-only data, zeroed data
_OBJECTS_WITHOUT_DATA = range(5)  # function table, None, False, True, Ellipsis
_STR, _BYTES, _TUPLE = 5, 6, 10
_STORE_NAME, _MAKE_FUNCTION = 0x16, 0x32


class MpyError(Exception):
    """The file isn't an .mpy of viper functions for the ESP32-S3."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._data[self.position : self.position + count]
        if len(taken) != count:
            raise MpyError("the file ends too early")
        self.position += count
        return taken

    def number(self) -> int:
        """A variable-length number: seven bits a byte, the highest first."""
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value


def native_functions(mpy: bytes) -> dict[str, bytes]:
    """The machine code of each viper function, by name, as it lies in executable memory.

    Raises `MpyError` for another file format, architecture or kind of function.
    """
    reader = _Reader(mpy)
    magic, features, _small_int_bits = reader.take(2), reader.byte(), reader.byte()
    if magic != _MAGIC or features >> 2 != _XTENSAWIN:
        raise MpyError("not an .mpy of version 6 for xtensawin")
    strings, constants = reader.number(), reader.number()
    names = [_string(reader) for _ in range(strings)]
    for _ in range(constants):
        _skip_constant(reader)
    module, functions = _raw_code(reader)
    return {names[name]: functions[child] for name, child in _definitions(module)}


def _string(reader: _Reader) -> str:
    length = reader.number()
    if length & 1:  # one of MicroPython's built-in strings: only its number is stored
        return f"<built-in string {length >> 1}>"
    text = reader.take(length >> 1).decode()
    reader.byte()  # a closing zero
    return text


def _skip_constant(reader: _Reader) -> None:
    kind = reader.byte()
    if kind in _OBJECTS_WITHOUT_DATA:
        return
    length = reader.number()
    if kind == _TUPLE:
        for _ in range(length):
            _skip_constant(reader)
        return
    reader.take(length + (kind in (_STR, _BYTES)))  # these two close with a zero


def _raw_code(reader: _Reader) -> tuple[bytes, list[bytes]]:
    """One piece of code and its children's; native code must have none."""
    kind_and_length = reader.number()
    kind, has_children = kind_and_length & 3, kind_and_length & 4
    code = reader.take(kind_and_length >> 3)
    if kind == _VIPER:
        if reader.number() & _SECTIONS_AFTER_CODE or has_children:
            raise MpyError("a native function with data or functions of its own")
    elif kind != _BYTECODE:
        raise MpyError("native code that isn't viper's")
    if not has_children:
        return code, []
    return code, [_raw_code(reader)[0] for _ in range(reader.number())]


def _definitions(module: bytes) -> list[tuple[int, int]]:
    """(string number of the name, child number) of each function that the module stores."""
    found, made = [], None
    for opcode, argument in _opcodes(module):
        if opcode == _STORE_NAME and made is not None:
            found.append((argument, made))
        made = argument if opcode == _MAKE_FUNCTION else None
    return found


def _opcodes(bytecode: bytes):
    """(opcode, its argument or 0), by the rule of MicroPython's bc.c for an opcode's length."""
    reader = _Reader(bytecode)
    _skip_prelude(reader)
    while reader.position < len(bytecode):
        opcode, argument = reader.byte(), 0
        layout = 0x000003A4 >> 2 * (opcode >> 4) & 3
        if layout in (1, 2):
            argument = reader.number()
        elif layout == 3:  # a jump: one byte, or two
            reader.take(1 + (bytecode[reader.position] >> 7))
        if opcode & 0x9E == 0:
            reader.byte()
        yield opcode, argument


def _skip_prelude(reader: _Reader) -> None:
    while reader.byte() & 0x80:  # the signature
        pass
    information = cells = shift = 0
    more = True
    while more:  # xIIIIIIC, six and one bits a byte
        byte = reader.byte()
        information |= (byte >> 1 & 0x3F) << 6 * shift
        cells |= (byte & 1) << shift
        shift, more = shift + 1, byte & 0x80
    reader.take(information + cells)

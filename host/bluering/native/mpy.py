"""Read and write ``.mpy`` files of version 6.3, byte by byte.

Format: MicroPython's documentation ("MicroPython .mpy files") and its ``py/persistentcode.c``.
Every byte of a file belongs to a field; nothing is skipped, so ``parse(data).encode() == data``.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

from bluering.native.errors import MpyFormatError

VERSION = 6
SUB_VERSION = 3
ARCH_XTENSAWIN = 10
# Scope flags that announce relocations and data segments, as C modules have them.
_LINKED = 0x70


class Kind(IntEnum):
    """How a raw code object is entered."""

    BYTECODE = 0
    NATIVE = 1
    VIPER = 2
    ASSEMBLER = 3


@dataclass(frozen=True)
class RawCode:
    """One function or module body. ``numbers`` follow the code and depend on the kind:
    native: prelude offset; viper: scope flags; assembler: scope flags, argument count, types."""

    kind: Kind
    code: bytes
    numbers: tuple[int, ...] = ()
    children: tuple["RawCode", ...] = ()

    def encode(self) -> bytes:
        """The bytes of this object and its children."""
        out = _vuint(len(self.code) << 3 | bool(self.children) << 2 | self.kind) + self.code
        out += b"".join(map(_vuint, self.numbers))
        if self.children:
            out += _vuint(len(self.children)) + b"".join(c.encode() for c in self.children)
        return out


@dataclass(frozen=True)
class Mpy:
    """A whole file. ``names`` are the strings' entries and ``objects`` the constants, as bytes."""

    arch: int
    small_int_bits: int
    names: tuple[bytes, ...]
    objects: tuple[bytes, ...]
    module: RawCode
    sub_version: int = SUB_VERSION

    def encode(self) -> bytes:
        """The bytes of the file."""
        head = bytes([ord("M"), VERSION, self.arch << 2 | self.sub_version, self.small_int_bits])
        tables = _vuint(len(self.names)) + _vuint(len(self.objects))
        return head + tables + b"".join(self.names + self.objects) + self.module.encode()


def as_viper(mpy: Mpy) -> Mpy:
    """The same file with its assembler functions entered like viper functions.

    The stock ESP32 image refuses the assembler's code kind but runs the same machine code when
    it is called a viper function: then a2 is the function object, a3 and a4 count the arguments
    and keywords, a5 points to the argument objects, and a2 returns an object.
    """

    def rewrite(raw: RawCode) -> RawCode:
        children = tuple(map(rewrite, raw.children))
        if raw.kind is Kind.ASSEMBLER:
            return RawCode(Kind.VIPER, raw.code, raw.numbers[:1], children)
        return replace(raw, children=children)

    return replace(mpy, module=rewrite(mpy.module))


def parse(data: bytes) -> Mpy:
    """Read a file; ``MpyFormatError`` names the offset of the first byte that doesn't fit."""
    reader = _Reader(data)
    if reader.take(2) != bytes([ord("M"), VERSION]):
        raise MpyFormatError("not an .mpy file of version 6: its first two bytes are others")
    features = reader.byte()
    if features & 0xC0:
        raise MpyFormatError(f"feature byte {features:#04x}: architecture flags aren't supported")
    small_int_bits = reader.byte()
    name_count, object_count = reader.vuint(), reader.vuint()
    names = tuple(reader.name() for _ in range(name_count))
    objects = tuple(reader.constant() for _ in range(object_count))
    module = reader.raw_code()
    if reader.position != len(data):
        raise MpyFormatError(f"{len(data) - reader.position} bytes follow the end of the .mpy file")
    mpy = Mpy(features >> 2, small_int_bits, names, objects, module, features & 3)
    if mpy.encode() != data:
        raise MpyFormatError("the .mpy file isn't written in its shortest form")
    return mpy


def _vuint(value: int) -> bytes:
    """Big-endian, seven bits a byte, the top bit set on all but the last."""
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | value & 0x7F]) + out
    return out


@dataclass
class _Reader:
    data: bytes
    position: int = field(default=0, init=False)

    def take(self, count: int) -> bytes:
        end = self.position + count
        if end > len(self.data):
            raise MpyFormatError(f".mpy file ends at byte {len(self.data)}, needed {end}")
        self.position = end
        return self.data[end - count : end]

    def byte(self) -> int:
        return self.take(1)[0]

    def vuint(self) -> int:
        value = 0
        while True:
            byte = self.byte()
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                return value

    def name(self) -> bytes:
        start = self.position
        length = self.vuint()
        if not length & 1:  # odd: the number of a string that every MicroPython has
            self.take((length >> 1) + 1)
        return self.data[start : self.position]

    def constant(self) -> bytes:
        start = self.position
        kind = self.byte()
        if kind in (5, 6):  # str, bytes: with a final zero
            self.take(self.vuint() + 1)
        elif kind in (7, 8, 9):  # int, float, complex as text
            self.take(self.vuint())
        elif kind == 10:  # tuple
            for _ in range(self.vuint()):
                self.constant()
        elif kind > 10:
            raise MpyFormatError(f"unknown kind {kind} of a constant at byte {start}")
        return self.data[start : self.position]

    def raw_code(self) -> RawCode:
        start = self.position
        head = self.vuint()
        kind = Kind(head & 3)
        code = self.take(head >> 3)
        numbers = tuple(self.vuint() for _ in range((0, 1, 1, 3)[kind]))
        if kind is Kind.VIPER and numbers[0] & _LINKED:
            raise MpyFormatError(f"the function at byte {start} has relocations or data segments")
        children = ()
        if head & 4:
            children = tuple(self.raw_code() for _ in range(self.vuint()))
        return RawCode(kind, code, numbers, children)

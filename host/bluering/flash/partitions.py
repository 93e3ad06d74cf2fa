"""The partition table of an ESP32 flash image, as ESP-IDF's gen_esp32part.py lays it out."""

import hashlib
import struct
from dataclasses import dataclass

from bluering.flash.errors import FirmwareError

OFFSET = 0x8000
SIZE = 0xC00
SECTOR = 4096

_ENTRY = struct.Struct("<2sBBII16sI")
_MAGIC = b"\xaa\x50"
_MD5_MAGIC = b"\xeb\xeb" + b"\xff" * 14


@dataclass(frozen=True)
class Partition:
    """One row of the table; offset and size in bytes of flash."""

    name: str
    type: int
    subtype: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        return self.offset + self.size


def parse(table: bytes) -> list[Partition]:
    """The rows of a partition table, checked against the MD5 in its last row if it has one.

    Raises FirmwareError when ``table`` is none.
    """
    rows = []
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        row = table[at : at + _ENTRY.size]
        if row.startswith(_MD5_MAGIC):
            if row[16:] != hashlib.md5(table[:at]).digest():
                raise FirmwareError("the partition table is damaged: its MD5 does not match")
            break
        magic, kind, subtype, offset, size, name, _flags = _ENTRY.unpack(row)
        if magic != _MAGIC:
            break
        text = name.rstrip(b"\0").decode("ascii", "replace")
        rows.append(Partition(text, kind, subtype, offset, size))
    if not rows:
        raise FirmwareError(f"there is no partition table at 0x{OFFSET:x}")
    return rows


def named(table: list[Partition], name: str) -> Partition:
    """The partition called ``name``. Raises FirmwareError when there is none."""
    for partition in table:
        if partition.name == name:
            return partition
    raise FirmwareError(f"the partition table has no partition called {name!r}")


def filesystem(table: list[Partition], flash_size: int) -> Partition:
    """Where MicroPython 1.27 and later keeps its files on a chip with ``flash_size`` bytes.

    It starts where the table's ``vfs`` does, or behind the last partition when the table has no
    ``vfs``, and reaches to the end of the chip, whatever size the table gives: MicroPython asks
    the chip for its size at start-up. A file system made for any other size does not mount.
    """
    row = next((p for p in table if p.name == "vfs"), None)
    start = row.offset if row else max(p.end for p in table)
    end = min((p.offset for p in table if p.offset > start), default=flash_size)
    if end - start < 2 * SECTOR or end > flash_size:
        raise FirmwareError(
            f"a flash of {flash_size >> 20} MiB leaves no room for files: "
            f"the file system would start at 0x{start:x}"
        )
    return Partition("vfs", 1, 0x81, start, end - start)

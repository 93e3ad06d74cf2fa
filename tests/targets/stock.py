"""A stand-in for MicroPython's stock ESP32-S3 image: its structure, without its code.

Boot loader header, partition table with its MD5 row, an application with its descriptor and
MicroPython's version line, laid out as ESP32_GENERIC_S3 is; the rest is reproducible noise.
"""

import hashlib
import random
import struct

PLAIN = "Generic ESP32S3 module"
OCTAL = "Generic ESP32S3 module with Octal-SPIRAM"

_S3 = 9
TABLE_AT = 0x8000
NVS_AT = 0x9000
APPLICATION_AT = 0x10000
VFS_AT = 0x200000

# ESP32_GENERIC_S3's: the file system behind the last partition is added at start-up.
ROWS = (
    ("nvs", 1, 0x02, NVS_AT, 0x6000),
    ("phy_init", 1, 0x01, 0xF000, 0x1000),
    ("factory", 0, 0x00, APPLICATION_AT, VFS_AT - APPLICATION_AT),
)
# As older images and those of some boards have it.
VFS_ROW = ("vfs", 1, 0x81, VFS_AT, 0x200000)


def stock_image(
    version: str = "1.27.0",
    chip: int = _S3,
    rows: tuple = ROWS,
    size: int = 0x30000,
    board: str = PLAIN,
) -> bytes:
    """The bytes of an image; ``size`` of the whole file, ``board`` as MicroPython names it."""
    noise = random.Random(27)
    image = bytearray(b"\xff" * size)
    image[0:24] = _header(chip)
    image[24:0x3000] = noise.randbytes(0x3000 - 24)
    table = b"".join(_row(*row) for row in rows)
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    image[TABLE_AT : TABLE_AT + len(table)] = table
    application = _header(chip) + noise.randbytes(size - APPLICATION_AT - 24)
    image[APPLICATION_AT:] = application
    at = APPLICATION_AT + 0x123
    banner = f"MicroPython v{version} on 2025-12-09; {board} with ESP32S3\0"
    image[at : at + len(banner)] = banner.encode()
    return bytes(image)


def _header(chip: int) -> bytes:
    # magic, segments, QIO, 4 MiB at 80 MHz, entry; then write protect pin ... chip id ... hash.
    head = struct.pack("<BBBBI", 0xE9, 3, 0, 0x2F, 0x403C8900)
    return head + struct.pack("<B3xHBHH4xB", 0xEE, chip, 0, 0, 99, 1)


def _row(name: str, kind: int, subtype: int, offset: int, size: int) -> bytes:
    return struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, name.encode(), 0)

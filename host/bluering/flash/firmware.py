"""A stock MicroPython image for the ESP32-S3: is it one, and does the application run on it?"""

import re
from dataclasses import dataclass
from pathlib import Path

from bluering.flash import partitions
from bluering.flash.errors import FirmwareError
from bluering.flash.partitions import Partition

# The application needs the USB start-up of 1.27 and is compiled to .mpy 6.3, which is measured to
# load up to 1.29.
OLDEST, NEWEST = (1, 27), (1, 29)

_IMAGE_MAGIC = 0xE9
_CHIP_ID_AT = 12
_CHIPS = {0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 13: "ESP32-C6"}
_S3 = 9
_BANNER = re.compile(rb"MicroPython v(\d+)\.(\d+)\.(\d+)[^\0\r\n]{0,120}")


@dataclass(frozen=True)
class Firmware:
    """A checked stock image: its bytes from flash address 0, its partitions and its version."""

    data: bytes
    table: list[Partition]
    version: tuple[int, int, int]
    banner: str

    @property
    def needs_octal(self) -> bool:
        """Whether it is made for octal PSRAM."""
        return needs_octal(self.banner)


def read(path: Path) -> Firmware:
    """The stock image in a file. Raises FirmwareError."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise FirmwareError(f"can't read the firmware {path}: {error.strerror}") from error
    except FirmwareError as error:
        raise FirmwareError(f"{path} is no firmware for these boards: {error}") from error


def parse(data: bytes) -> Firmware:
    """Check a stock image. Raises FirmwareError with the reason why it is none."""
    if len(data) < partitions.OFFSET + partitions.SIZE:
        raise FirmwareError(
            f"it has {len(data)} bytes, too few to hold a boot loader and a partition table"
        )
    _check_chip(data)
    table = partitions.parse(data[partitions.OFFSET :][: partitions.SIZE])
    banner = find_banner(data)
    return Firmware(data, table, check_version(banner), banner)


def find_banner(data: bytes) -> str:
    """MicroPython's version line, e.g. ``MicroPython v1.27.0 on 2025-12-09; Generic ...``."""
    found = _BANNER.search(data)
    if not found:
        raise FirmwareError("it holds no MicroPython version")
    return found.group().decode("ascii", "replace").rstrip()


def needs_octal(banner: str) -> bool:
    """Whether the image with this banner is made for octal PSRAM, by its board's name there."""
    return "Octal-SPIRAM" in banner


def check_version(banner: str) -> tuple[int, int, int]:
    """The version in a banner. Raises FirmwareError when the application doesn't run on it."""
    found = _BANNER.match(banner.encode())
    if not found:
        raise FirmwareError("it holds no MicroPython version")
    major, minor, patch = (int(number) for number in found.groups())
    if not OLDEST <= (major, minor) <= NEWEST:
        raise FirmwareError(
            f"it is MicroPython {major}.{minor}.{patch}, but the application runs on "
            f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
        )
    return major, minor, patch


def _check_chip(data: bytes) -> None:
    if data[0] != _IMAGE_MAGIC:
        raise FirmwareError("it doesn't begin with an ESP32-S3 boot loader")
    chip = int.from_bytes(data[_CHIP_ID_AT : _CHIP_ID_AT + 2], "little")
    if chip != _S3:
        name = _CHIPS.get(chip, f"another chip (id {chip})")
        raise FirmwareError(f"it is made for the {name}, not for the ESP32-S3")

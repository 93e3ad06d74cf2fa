"""One file that makes a board a device: firmware, identity and file system, joined.

Same inputs, same bytes. The file is written to flash address 0; it ends with the last block of
the file system in use, so an emulator, which wants a whole flash, needs it padded with zeros or
ones to the size that ``inspect`` tells.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from bluering import __version__
from bluering.boards import Board
from bluering.boards.psram import OCTAL, objection
from bluering.flash import application, filesystem, firmware, identity, memory, partitions
from bluering.flash.errors import FirmwareError, ImageError
from bluering.flash.filesystem import Files
from bluering.flash.firmware import Firmware
from bluering.flash.identity import Identity

ABOUT = "/bluering.json"
MODELS = "/models/"
_LARGEST = 32 << 20


class Settings(Protocol):
    """What a word's detector needs to know."""

    def model_dump_json(self) -> str: ...


class Word(Protocol):
    """A word for the device: its compiled model and its detector's settings."""

    @property
    def name(self) -> str: ...
    @property
    def blob(self) -> bytes: ...
    @property
    def manifest(self) -> Settings: ...


@dataclass(frozen=True)
class Contents:
    """What is in an image; ``files`` by absolute path."""

    stock: Firmware
    flash_size: int
    filesystem_at: int
    files: dict[str, bytes]
    identity: Identity | None
    about: dict


@dataclass(frozen=True)
class Target:
    """What an image depends on: the stock image's name, and the size of the flash in bytes."""

    stock: str
    flash_size: int


def target(board: Board) -> Target:
    """What an image for ``board`` needs. Raises ImageError with the reason if it can't work."""
    if board.supported == "no":
        raise ImageError(f"{board.title} can't work: {board.reason}")
    if board.firmware is None or board.chip.flash_mib is None:
        raise ImageError(
            f"there is nothing to flash on the board {board.name!r}: its file names no "
            "chip.flash_mib or no firmware.stock"
        )
    return Target(board.firmware.stock, board.chip.flash_mib << 20)


def check(board: Board, stock: Firmware, words: Iterable[Word]) -> None:
    """Whether these can be one device, as far as it is known before any file is made: whether the
    stock image suits the board, and whether the words find room on it.

    Raises ImageError or FirmwareError, each with its reason.
    """
    target(board)
    said = objection(OCTAL, board.chip.psram) if stock.needs_octal else None
    if said:
        raise FirmwareError(f"the stock image doesn't suit the board {board.name!r}: {said}")
    fits(board, stock.needs_octal, words)


def fits(board: Board, needs_octal: bool, words: Iterable[Word]) -> None:
    """Whether the words find room on a board whose stock image is for octal PSRAM, or isn't.

    Raises ImageError with the sum.
    """
    memory.check(memory.of(board, needs_octal), {word.name: len(word.blob) for word in words})


def build(board: Board, words: Iterable[Word], stock: Firmware, device: Identity) -> bytes:
    """The image for one device. Raises ImageError or FirmwareError, each with its reason."""
    words = list(words)
    check(board, stock, words)
    place = partitions.filesystem(stock.table, target(board).flash_size)
    if len(stock.data) > place.offset:
        raise FirmwareError("the stock image reaches into the file system's part of the flash")
    keys = partitions.named(stock.table, "nvs")
    image = bytearray(stock.data.ljust(place.offset, b"\xff"))
    image[keys.offset : keys.end] = identity.to_nvs(device, keys.size)
    held = files(board, models(words), stock.banner)
    return bytes(image) + filesystem.build(held, place.size)


def with_identity(data: bytes, device: Identity) -> bytes:
    """The same image for another device. Raises FirmwareError or ImageError when it is none."""
    keys = partitions.named(firmware.parse(data).table, "nvs")
    return data[: keys.offset] + identity.to_nvs(device, keys.size) + data[keys.end :]


def models(words: Iterable[Word]) -> dict[str, bytes]:
    """The files of the words' models by absolute path."""
    found = {}
    for word in words:
        found[f"{MODELS}{word.name}.ear"] = word.blob
        found[f"{MODELS}{word.name}.json"] = word.manifest.model_dump_json().encode()
    return found


def files(board: Board, models: Mapping[str, bytes], banner: str) -> dict[str, bytes]:
    """Every file of the application by its absolute path on the device.

    One of them, ``ABOUT``, tells what the others are, and the board, its chip and the firmware
    they were made for.
    """
    found = {**application.compiled(board), **models}
    about = {
        "board": board.name,
        "version": __version__,
        "firmware": banner,
        "chip": board.chip.model_dump(exclude_none=True),
        "files": {path: sha256(data).hexdigest() for path, data in sorted(found.items())},
    }
    return {**found, ABOUT: json.dumps(about, indent=1).encode()}


def read(data: bytes) -> Contents:
    """Take an image apart. Raises FirmwareError or ImageError when it is none."""
    stock = firmware.parse(data)
    # Where it starts is the same on every chip that is large enough.
    start = partitions.filesystem(stock.table, _LARGEST).offset
    held = Files(lambda at, size: data[start + at :][:size].ljust(size, b"\xff"), _LARGEST)
    found = {path: held.read(path) for path in held.paths()}
    if ABOUT not in found:
        raise ImageError("its file system holds another application")
    keys = partitions.named(stock.table, "nvs")
    owner = identity.from_nvs(data[keys.offset : keys.end])
    return Contents(stock, start + held.made_for, start, found, owner, json.loads(found[ABOUT]))

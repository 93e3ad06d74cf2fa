"""Put an image, or a new application, on a chip; what only the chip has stays on it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluering.boards import Board
from bluering.flash import filesystem, firmware, identity, image, partitions, psram
from bluering.flash.download import Progress
from bluering.flash.errors import FirmwareError, FlashError, ImageError
from bluering.flash.esptool import Loader
from bluering.flash.filesystem import Files
from bluering.flash.identity import Identity
from bluering.flash.image import Contents
from bluering.flash.partitions import Partition


@dataclass(frozen=True)
class Owned:
    """The identity that a chip has, and the partition that holds it."""

    identity: Identity
    partition: Partition


def owned(loader: Loader) -> Owned | None:
    """The identity that the chip has already, or None when it has none."""
    try:
        nvs = partitions.named(_table(loader), "nvs")
    except FirmwareError:
        return None
    found = identity.from_nvs(loader.read(nvs.offset, nvs.size))
    return Owned(found, nvs) if found else None


def check(loader: Loader, contents: Contents) -> list[str]:
    """Whether the image suits the chip; nothing is written. Sentences on what isn't certain.

    Raises FlashError when it is made for another chip, flash size or PSRAM.
    """
    chip = loader.identify()
    _check_size(contents.flash_size, chip.flash_size)
    return psram.check(contents, chip)


def flash(loader: Loader, data: bytes, progress: Progress) -> None:
    """Write an image, check it by its hash, and restart the chip.

    A chip that has the image's identity already keeps its NVS partition: there it counts its
    starts, and with the same key none of their numbers may come again. Raises FlashError as
    ``check`` does.
    """
    contents = image.read(data)
    check(loader, contents)
    had = owned(loader)
    parts = [(0, data)]
    if had and had.identity == contents.identity:
        nvs = had.partition
        parts = [(0, data[: nvs.offset]), (nvs.end, data[nvs.end :])]
    loader.write(parts, lambda address: progress(min(address, len(data)), len(data)))


def deploy(
    loader: Loader,
    find_board: Callable[[str], Board],
    words: Iterable[image.Word] | None,
    progress: Progress,
) -> None:
    """Write the application anew and restart the chip.

    It is for the board that the chip was flashed for; ``find_board`` knows it by name. The models
    stay unless there are ``words`` to replace them; settings and other files stay as well. Raises
    FlashError when the chip has no application yet, ImageError when the words don't fit.
    """
    size = loader.identify().flash_size
    try:
        place = partitions.filesystem(_table(loader), size)
        old = Files(lambda at, length: loader.read(place.offset + at, length), place.size)
        about = json.loads(old.read(image.ABOUT))
        firmware.check_version(about["firmware"])
    except (FirmwareError, ImageError) as error:
        raise FlashError(
            f"there is no application on this chip to replace: {error}",
            "'bluering flash' makes a whole device of it",
        ) from error
    ours = {*about["files"], image.ABOUT}
    kept = {path: old.read(path) for path in old.paths() if path not in ours}
    board = find_board(about["board"])
    if words is None:
        models = {path: old.read(path) for path in ours if path.startswith(image.MODELS)}
    else:
        words = list(words)
        image.fits(board, firmware.needs_octal(about["firmware"]), words)
        models = image.models(words)
    new = image.files(board, models, about["firmware"])
    data = filesystem.build({**kept, **new}, place.size)
    loader.write(
        [(place.offset, data)],
        lambda address: progress(min(address - place.offset, len(data)), len(data)),
    )


def _table(loader: Loader) -> list[Partition]:
    return partitions.parse(loader.read(partitions.OFFSET, partitions.SIZE))


def _check_size(made_for: int, there: int) -> None:
    if made_for != there:
        raise FlashError(
            f"the image is made for {made_for >> 20} MiB of flash, this chip has "
            f"{there >> 20}: MicroPython would not find its files",
            "make one for this board: copy the board's file ('bluering board show') and set "
            f"chip.flash_mib = {there >> 20}",
        )

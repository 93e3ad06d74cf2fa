"""Does an image suit the PSRAM of the chip on which it is to be written?"""

from bluering.flash.errors import FlashError
from bluering.flash.esptool import Chip
from bluering.flash.image import Contents

_SAID = {"none": "no PSRAM", "quad": "quad PSRAM", "octal": "octal PSRAM"}


def check(contents: Contents, chip: Chip) -> list[str]:
    """Sentences on what suits less than it could, or couldn't be checked.

    Raises FlashError, with what to do, when the image contradicts what the chip tells.
    """
    made_for = contents.about.get("chip", {})
    declared, external = made_for.get("psram"), made_for.get("psram_external")
    needs_octal = contents.stock.needs_octal
    there = None if external else chip.psram
    if there is None:
        if declared == "none" or not (needs_octal or declared):
            return []
        return ["the chip doesn't tell of its PSRAM: whether the image suits it isn't checked"]
    if needs_octal and there != "octal":
        outside = (
            ". If the board has PSRAM in a package of its own, say chip.psram_external = true there"
        )
        raise FlashError(
            f"the stock image needs octal PSRAM, this chip has {_SAID[there]}, and MicroPython may "
            f"start over and over: {_remedy(there)}, or give the plain image with --firmware"
            + (outside if there == "none" else "")
        )
    if there == "octal" and declared in ("none", "quad"):
        raise FlashError(
            f"the image is made for a board with {_SAID[declared]}, this chip has octal PSRAM, to "
            f"which GPIO33 to 37 belong: {_remedy(there)}"
        )
    if there == "none" and declared == "quad":
        raise FlashError(
            "the image counts on quad PSRAM, this chip has no PSRAM and less memory: "
            f"{_remedy(there)}"
        )
    if there == "octal" and not needs_octal:
        return ["this stock image leaves the chip's octal PSRAM unused"]
    if declared and declared != there:
        return [f"the board's file tells of {_SAID[declared]}, this chip has {_SAID[there]}"]
    return []


def _remedy(there: str) -> str:
    return (
        "make one for this board: copy the board's file ('bluering board show'), set chip.psram = "
        f'"{there}" and firmware.stock to suit it, and give it with --board'
    )

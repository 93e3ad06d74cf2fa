"""Which of MicroPython's generic images suits which PSRAM of an ESP32-S3.

By MicroPython's ports/esp32/boards/ESP32_GENERIC_S3/board.md: the plain image finds quad PSRAM, or
none, by itself; octal PSRAM needs the variant SPIRAM_OCT, which knows no other. Images of single
boards (SEEED_XIAO_ESP32S3 and the like) know their board's own.
"""

from typing import Literal

Psram = Literal["none", "quad", "octal"]

PLAIN = "ESP32_GENERIC_S3"
OCTAL = "ESP32_GENERIC_S3-SPIRAM_OCT"


def generic_image(psram: Psram | None) -> str:
    """The name of the generic image for a module with this PSRAM; None when it isn't known."""
    return OCTAL if psram == "octal" else PLAIN


def objection(stock: str, psram: Psram | None) -> str | None:
    """Why the image called ``stock`` doesn't suit the PSRAM, as a sentence; None when it does."""
    if stock == OCTAL and psram != "octal":
        return (
            f'{OCTAL} needs octal PSRAM, and chip.psram is {_said(psram)}: name "{PLAIN}", or say '
            'chip.psram = "octal" if the module has it'
        )
    if stock != OCTAL and stock.partition("-")[0] == PLAIN and psram == "octal":
        return (
            f'{stock} leaves octal PSRAM unused, and chip.psram is "octal": name "{OCTAL}", or '
            "say what PSRAM the module has"
        )
    return None


def _said(psram: Psram | None) -> str:
    return f'"{psram}"' if psram else "not told"

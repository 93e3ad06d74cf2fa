"""Which pins of an ESP32-S3 a board may use for what."""

from dataclasses import dataclass

from bluering.boards.schema import Board

_MISSING = range(22, 26)  # no such pads
_FLASH = range(26, 33)  # the flash chip, and PSRAM on the same bus
_OCTAL = range(33, 38)  # the upper data lines of octal PSRAM
_USB = range(19, 21)
_UART0 = range(43, 45)
_STRAPPING = (0, 3, 45, 46)  # read at reset: boot mode, JTAG, flash voltage, log


@dataclass(frozen=True)
class Problem:
    """``key`` is the pin's key in the board file; a fatal problem keeps the board from working."""

    key: str
    text: str
    fatal: bool


def problems(board: Board) -> list[Problem]:
    """What is wrong or doubtful with the board's pins.

    Nothing is fatal for a board that is declared not to work: its file keeps the vendor's pins as
    they are, and its reason may well be one of these.
    """
    works = board.supported != "no"
    found = []
    taken: dict[int, str] = {}
    for key, pin in board.pins().items():
        text = _clash(board, pin.gpio)
        if text:
            found.append(Problem(key, f"GPIO{pin.gpio} {text}", fatal=works))
        if pin.gpio in taken:
            text = f"GPIO{pin.gpio} is already {taken[pin.gpio]}"
            found.append(Problem(key, text, fatal=works))
        taken.setdefault(pin.gpio, key)
        if pin.gpio in _STRAPPING and not (pin.gpio == 0 and key == "button.pin"):
            text = f"GPIO{pin.gpio} is a strapping pin: what hangs on it can change how it boots"
            found.append(Problem(key, text, fatal=False))
    return found


def _clash(board: Board, gpio: int) -> str | None:
    if gpio in _MISSING:
        return "does not exist on an ESP32-S3"
    if gpio in _FLASH:
        return "belongs to the flash chip"
    if gpio in _OCTAL and board.chip.psram == "octal":
        return "belongs to the octal PSRAM"
    if gpio in _USB:
        return "is the USB port"
    if gpio in _UART0 and board.usb.kind == "mirror":
        return "is UART0, to which this image mirrors the link"
    return None

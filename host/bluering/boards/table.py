"""Compile a board into the table that its device reads: a Python module of one flat dict.

The device has no TOML parser; its ``ear/board.py`` imports ``board_table`` instead. Absent parts
are plain values there: a pin that is not there is -1, a light that is not there has 0 LEDs.
"""

from bluering.boards.schema import Board, Input, Led, Microphone, Pin

MODULE = "board_table"
ABSENT = -1


def table(board: Board) -> dict[str, str | int | tuple[int, int, int]]:
    """The flat constants of ``board``, in the order in which they are written.

    ``led_order``: the place on the wire of red, green and blue, as in ``NeoPixel.ORDER``.
    ``mute_active`` and ``button_active``: the level, 0 or 1. ``link_rate``: bytes per second,
    0 for no limit.
    """
    return {
        "name": board.name,
        **_microphone(board.microphone),
        **_led(board.led),
        **_input("mute", board.mute),
        **_input("button", board.button),
        "usb": board.usb.kind,
        "link_rate": board.usb.link_rate,
    }


def source(board: Board) -> str:
    """The text of the device's module ``board_table``."""
    lines = "".join(f"    {key!r}: {value!r},\n" for key, value in table(board).items())
    return f'"""Generated from the board file {board.name}.toml."""\n\nBOARD = {{\n{lines}}}\n'


def _microphone(mic: Microphone) -> dict:
    return {
        "mic_id": mic.id,
        "mic_sck": mic.sck.gpio,
        "mic_ws": mic.ws.gpio,
        "mic_sd": mic.sd.gpio,
        "mic_slot": mic.slot,
        "mic_bits": mic.bits,
        "mic_shift": mic.shift,
        "mic_ibuf": mic.ibuf,
    }


def _led(led: Led | None) -> dict:
    if led is None:
        return {
            "led_kind": "none",
            "led_pin": ABSENT,
            "led_clock": ABSENT,
            "led_power": ABSENT,
            "led_count": 0,
            "led_order": (0, 1, 2),
            "led_limit": 0,
            "led_night": 0,
        }
    return {
        "led_kind": led.kind,
        "led_pin": led.pin.gpio,
        "led_clock": _gpio(led.clock),
        "led_power": _gpio(led.power),
        "led_count": led.count,
        "led_order": tuple(led.order.index(colour) for colour in "RGB"),
        "led_limit": led.limit,
        "led_night": led.night,
    }


def _input(name: str, switch: Input | None) -> dict:
    if switch is None:
        return {f"{name}_pin": ABSENT, f"{name}_active": 0}
    return {f"{name}_pin": switch.pin.gpio, f"{name}_active": int(switch.active == "high")}


def _gpio(pin: Pin | None) -> int:
    return ABSENT if pin is None else pin.gpio

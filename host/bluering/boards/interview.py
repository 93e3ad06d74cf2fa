"""Ask a person about a board with a plain I2S microphone: the kind that can work."""

from collections.abc import Callable
from pathlib import Path

from bluering.boards import loader
from bluering.boards.psram import generic_image
from bluering.boards.schema import Board

# Called with a question and the default answer, returns the answer.
Prompt = Callable[[str, str], str]

_NONE = "none"


def ask(name: str, path: Path, prompt: Prompt) -> Board:
    """The board that the answers describe, to be written to ``path``.

    Raises BoardError, naming ``path`` and key, when the answers contradict the schema or each
    other.
    """
    title = prompt("What is it", name)
    source = prompt("Where are its pins from (schematic, vendor's code, own wiring)", "own wiring")
    flash = _number(prompt("Flash in MiB (4, 8, 16, 32)", "8"))
    psram = prompt("PSRAM (none, quad, octal)", "octal")
    image = generic_image("octal" if psram == "octal" else None)
    data = {
        "name": name,
        "title": title,
        "supported": "untested",
        "reason": "nobody has reported that it works",
        "chip": {"flash_mib": flash, "psram": psram},
        "firmware": {"stock": prompt("Stock MicroPython image", image)},
        # What the generic image does; one that has no serial mirror can say so in the file.
        "usb": {"kind": "mirror", "link_rate": 10000},
        "microphone": _microphone(prompt, source),
        **_led(prompt, source),
        **_input("mute", "Mute switch", _NONE, prompt, source),
        **_input("button", "Button", "0", prompt, source),
    }
    return loader.validate(data, path)


def _microphone(prompt: Prompt, source: str) -> dict:
    return {
        "kind": "i2s",
        **{
            key: _pin(prompt(f"Microphone {key.upper()} pin (GPIO)", default), source)
            for key, default in (("sck", "5"), ("ws", "4"), ("sd", "6"))
        },
        "slot": prompt("Slot in which the microphone speaks (left, right)", "left"),
        "shift": _number(prompt("Gain shift (16 none, each step below doubles)", "12")),
    }


def _led(prompt: Prompt, source: str) -> dict:
    kind = prompt("Light (ws2812, apa102, none)", "ws2812")
    if kind == _NONE:
        return {}
    led = {
        "kind": kind,
        "count": _number(prompt("How many LEDs", "12")),
        "pin": _pin(prompt("Light's data pin (GPIO)", "14"), source),
        "order": prompt("Colour order on the wire", "BGR" if kind == "apa102" else "GRB"),
        "limit": 64,
        "night": 8,
    }
    if kind == "apa102":
        led["clock"] = _pin(prompt("Light's clock pin (GPIO)", "13"), source)
    return {"led": led}


def _input(key: str, what: str, default: str, prompt: Prompt, source: str) -> dict:
    gpio = prompt(f"{what} pin (GPIO, or none)", default)
    if gpio == _NONE:
        return {}
    return {key: {"pin": _pin(gpio, source), "active": prompt(f"{what} is on when", "low")}}


def _pin(gpio: str, source: str) -> dict:
    return {"gpio": _number(gpio), "source": source}


def _number(answer: str) -> int | str:
    # What isn't a number stays as it is, so that the schema names the key that is wrong.
    return int(answer) if answer.isdecimal() else answer

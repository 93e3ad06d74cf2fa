"""What a board file says: the one declaration of its keys, their ranges and their meaning."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bluering.boards.psram import Psram, objection

Gpio = Annotated[int, Field(ge=0, le=48)]
Level = Literal["low", "high"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pin(_Table):
    """A GPIO and where its number was read (a schematic, a vendor's code, or our choice)."""

    gpio: Gpio
    source: Annotated[str, Field(min_length=3)]


class Chip(_Table):
    """The ESP32-S3 module: what is left out has not been verified.

    ``psram_external``: the PSRAM is a chip of its own, of which the ESP32-S3 can't tell. Modules
    have it inside the ESP32-S3, where flashing checks it.
    """

    flash_mib: Literal[4, 8, 16, 32] | None = None
    psram: Psram | None = None
    psram_external: bool | None = None

    @model_validator(mode="after")
    def _external_is_there(self) -> "Chip":
        if self.psram_external and self.psram not in ("quad", "octal"):
            raise ValueError("psram_external is for a board with quad or octal psram")
        return self


class Firmware(_Table):
    """The stock MicroPython image by its name on MicroPython's download site.

    It has to suit ``chip.psram``; `bluering.boards.psram` says which does.
    """

    stock: Annotated[str, Field(pattern=r"^[A-Z0-9_]+(-[A-Z0-9_]+)?$")]


class Usb(_Table):
    """How the device talks to the host.

    ``mirror``: the image copies every byte to UART0 and waits for it. ``link_rate``: bytes per
    second that the link carries, 0 for no limit.
    """

    kind: Literal["cdc", "mirror"]
    link_rate: Annotated[int, Field(ge=0, le=10_000_000)]


class Microphone(_Table):
    """A microphone on I2S; stock MicroPython reads the kind ``i2s``, the others need more.

    ``bits``: word length that is read. ``shift``: right shift that makes a 32-bit word a 16-bit
    sample; each step below 16 doubles the gain. ``ibuf``: DMA bytes, 8 per sample.
    """

    kind: Literal["i2s", "es7210", "es8311", "xmos"]
    id: Literal[0, 1] = 0
    sck: Pin
    ws: Pin
    sd: Pin
    mclk: Pin | None = None
    slot: Literal["left", "right"] = "left"
    bits: Literal[16, 32] = 32
    shift: Annotated[int, Field(ge=8, le=16)] = 16
    ibuf: Annotated[int, Field(ge=8000, le=65536, multiple_of=8)] = 20000

    @model_validator(mode="after")
    def _shift_needs_32_bits(self) -> "Microphone":
        if self.bits == 16 and self.shift != 16:
            raise ValueError("a 16-bit word has no bits below: shift must be 16")
        return self


class Led(_Table):
    """The light: ``limit`` is the brightest value a colour may take, ``night`` its night-time one.

    ``power``: a pin that must be high for the light to have current.
    """

    kind: Literal["ws2812", "apa102"]
    count: Annotated[int, Field(ge=1, le=64)]
    pin: Pin
    clock: Pin | None = None
    power: Pin | None = None
    order: Literal["RGB", "RBG", "GRB", "GBR", "BRG", "BGR"]
    limit: Annotated[int, Field(ge=1, le=255)]
    night: Annotated[int, Field(ge=0, le=255)]

    @model_validator(mode="after")
    def _consistent(self) -> "Led":
        if (self.kind == "apa102") != (self.clock is not None):
            raise ValueError("an apa102 has a clock pin, a ws2812 has none")
        if self.night > self.limit:
            raise ValueError("night is brighter than limit")
        return self


class Input(_Table):
    """A switch or button; ``active`` is the level that means pressed, or muted."""

    pin: Pin
    active: Level


class Board(_Table):
    """One board. ``reason`` says why it is not, or not yet, supported."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
    title: Annotated[str, Field(min_length=3)]
    supported: Literal["yes", "untested", "no"]
    reason: str | None = None
    chip: Chip = Chip()
    firmware: Firmware | None = None
    usb: Usb
    microphone: Microphone
    led: Led | None = None
    mute: Input | None = None
    button: Input | None = None

    @model_validator(mode="after")
    def _says_why_not(self) -> "Board":
        if (self.supported == "yes") == bool(self.reason):
            raise ValueError("a reason is for boards that are not supported, and they need one")
        return self

    @model_validator(mode="after")
    def _image_suits_psram(self) -> "Board":
        said = self.firmware and objection(self.firmware.stock, self.chip.psram)
        if said:
            raise ValueError(f"firmware.stock: {said}")
        return self

    def pins(self) -> dict[str, Pin]:
        """Every pin in use by its key in the file, e.g. ``microphone.sck``."""
        found = {}
        for table in ("microphone", "led", "mute", "button"):
            for key, value in getattr(self, table) or ():
                if isinstance(value, Pin):
                    found[f"{table}.{key}"] = value
        return found

"""The live view's instruments: the ring of LEDs and the bars."""

import math
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

_LIT = "●"
_DARK = "○"
_DARK_STYLE = "grey27"
_SMALL_RADIUS = 4  # rows; seats 24 LEDs
_LARGE_RADIUS = 6
_MANY_LEDS = 24
# LEDs are driven in proportion to their light, a terminal's colours follow the eye.
_GAMMA = 2.8


def screen_colour(red: int, green: int, blue: int) -> str:
    """How an LED's colour (0..255 each) looks to the eye, as a terminal's colour."""
    seen = (round(255 * (channel / 255) ** (1 / _GAMMA)) for channel in (red, green, blue))
    return "rgb({},{},{})".format(*seen)


def ring(colours: bytes) -> list[Text]:
    """The ring's LEDs as lines of equal width, the first LED on top, then clockwise.

    colours: red, green, blue for each LED.
    """
    count = len(colours) // 3
    radius = 0 if count <= 1 else _SMALL_RADIUS if count <= _MANY_LEDS else _LARGE_RADIUS
    cells: dict[tuple[int, int], Text] = {}
    for led in range(count):
        angle = 2 * math.pi * led / count
        # A terminal's cell is twice as high as wide.
        column = round(2 * radius * (1 + math.sin(angle)))
        row = round(radius * (1 - math.cos(angle)))
        cells[row, column] = _led(*colours[3 * led : 3 * led + 3])
    blank = Text(" ")
    return [
        Text().join(cells.get((row, column), blank) for column in range(4 * radius + 1))
        for row in range(2 * radius + 1)
    ]


def _led(red: int, green: int, blue: int) -> Text:
    if red or green or blue:
        return Text(_LIT, screen_colour(red, green, blue))
    return Text(_DARK, _DARK_STYLE)


@dataclass(frozen=True)
class Bar:
    """A bar as wide as there is room; value, mark and held are 0..1.

    mark: a place to reach, drawn across; held: where the value was highest of late.
    """

    value: float
    style: str
    mark: float | None = None
    held: float | None = None

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(8, options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text(options.max_width)

    def text(self, width: int) -> Text:
        """The bar, ``width`` columns wide."""
        filled = round(self.value * width)
        bar = Text.assemble(("━" * filled, self.style), ("─" * (width - filled), "grey37"))
        if self.held and self.held > self.value:
            bar = _replace(bar, self.held, Text("╸", self.style))
        if self.mark is not None:
            bar = _replace(bar, self.mark, Text("┃", "bold yellow"))
        return bar


def _replace(bar: Text, place: float, sign: Text) -> Text:
    column = min(int(place * len(bar)), len(bar) - 1)
    return bar[:column] + sign + bar[column + 1 :]

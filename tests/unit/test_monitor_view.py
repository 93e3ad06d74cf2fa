"""The live view as a person sees it, by its text and its colours."""

import io

import pytest
from rich.console import Console

from bluering.link import Received
from bluering.link.records import Health, Record, Ring, Scores, Wake
from bluering.monitor import meters
from bluering.monitor.state import MonitorState
from bluering.monitor.view import draw
from ear.ring import BLUE, ERROR_MICROPHONE
from tests.unit.pretend_device import ALEXA, HELLO

_WAKE = Wake(150, 0, 240, 214, bytes(range(32)), "alexa", bytes([204, 255]))


def seen(*messages: Record, width: int = 80, height: int = 24) -> list[str]:
    """The screen's lines after these messages."""
    state = MonitorState(port="/dev/ttyACM0")
    for message in messages:
        state.apply(Received(1.0, message))
    file = io.StringIO()
    Console(width=width, height=height, file=file, color_system=None).print(draw(state), end="")
    return file.getvalue().splitlines()


def dots(lines: list[str]) -> int:
    """Lit LEDs, those of the ring alone."""
    return sum(line[:22].count("●") for line in lines)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 20), (120, 40), (200, 60), (40, 12)])
def test_it_fills_the_screen_and_no_more(width: int, height: int) -> None:
    lines = seen(HELLO, ALEXA, Ring(1, BLUE, bytes([0, 0, 255] * 12)), width=width, height=height)
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)


def test_everything_has_its_place() -> None:
    lines = seen(
        HELLO,
        ALEXA,
        Scores(150, 3277, bytes([255]), bytes([240])),
        _WAKE,
        Ring(150, BLUE, bytes([0, 0, 255] * 12)),
        Health(150, 150, 0, 0, 0, 3210, 183_456, 1),
    )
    text = "\n".join(lines)
    assert "pretend · firmware 0.1.0 · MicroPython 1.27.0" in lines[0]
    assert lines[0].rstrip().endswith("● /dev/ttyACM0")
    assert dots(lines[1:11]) == 12
    assert "blue" in lines[11]
    (alexa,) = [line for line in lines if " alexa  " in line]
    assert "━" in alexa
    assert "┃" in alexa
    assert alexa.rstrip(" │").endswith("0.94  ●1")
    (level,) = [line for line in lines if " level " in line]
    assert level.rstrip(" │").endswith("-20 dB")
    assert "● alexa: 0.94 over the cutoff 0.84 at 0:00:01.50, model 00010203" in text
    assert "heard 0:00:01.50  slowest hop 3.2 ms  heap 179 KiB  gaps 0  dropped 0" in lines[-1]


def test_before_the_hello() -> None:
    text = "\n".join(seen())
    assert "waiting for the device to say hello" in text
    assert "no news of the ring" in text
    assert "silent" in text


def test_unplugged_it_says_so() -> None:
    state = MonitorState(port=None)
    file = io.StringIO()
    Console(width=80, height=24, file=file).print(draw(state))
    assert "✗ disconnected, trying again" in file.getvalue()


def test_errors_are_named_and_dark_leds_stay_visible() -> None:
    lines = seen(HELLO, Ring(1, ERROR_MICROPHONE, bytes(36)))
    assert dots(lines[1:11]) == 0
    assert sum(line.count("○") for line in lines) == 12
    assert any("error microphone" in line for line in lines)


def test_the_newest_events_stay_in_sight() -> None:
    wakes = [Wake(100 * number, 0, 240, 214, bytes(32), "alexa", b"") for number in range(1, 60)]
    text = "\n".join(seen(HELLO, *wakes, width=100))
    assert "at 0:00:59.00" in text
    assert "at 0:00:01.00" not in text


@pytest.mark.parametrize(
    ("leds", "width", "height"), [(0, 1, 1), (1, 1, 1), (12, 17, 9), (24, 17, 9), (60, 25, 13)]
)
def test_ring_is_round_and_starts_on_top(leds: int, width: int, height: int) -> None:
    only_the_first = bytes([255, 0, 0]) + bytes(3 * (leds - 1)) if leds else b""
    lines = [line.plain for line in meters.ring(only_the_first)]
    assert [len(line) for line in lines] == [width] * height
    if leds:
        assert lines[0] == "●".center(width) or lines[0].index("●") == width // 2
    if 1 < leds <= 24:
        assert sum(line.count("○") for line in lines) == leds - 1
        # As many on the left as on the right, above as below.
        shape = [line.replace("●", "○") for line in lines]
        assert shape == shape[::-1] == [line[::-1] for line in shape]


def test_ring_goes_clockwise() -> None:
    colours = bytearray(36)
    colours[3 * 3] = 255  # the fourth of twelve: three o'clock
    lines = [line.plain for line in meters.ring(bytes(colours))]
    assert lines[4][-1] == "●"


def test_leds_have_their_colours() -> None:
    (line,) = meters.ring(bytes([0, 0, 255]))
    assert [span.style for span in line.spans] == ["rgb(0,0,255)"]
    # A dim LED is brighter to the eye than its number says, and stays behind a bright one.
    dim = meters.screen_colour(0, 0, 32)
    assert meters.screen_colour(0, 0, 0) == "rgb(0,0,0)"
    assert 32 < int(dim.removesuffix(")").split(",")[2]) < 255


@pytest.mark.parametrize(
    ("bar", "drawn"),
    [
        (meters.Bar(0, "", mark=0.5), "─────┃────"),
        (meters.Bar(0.4, "", mark=0.5), "━━━━─┃────"),
        (meters.Bar(0.9, "", mark=0.5), "━━━━━┃━━━─"),
        (meters.Bar(0.2, "", mark=0.5, held=0.8), "━━───┃──╸─"),
        (meters.Bar(0.2, "", mark=0.5, held=0.2), "━━───┃────"),
        (meters.Bar(1, "", mark=1), "━━━━━━━━━┃"),
        (meters.Bar(1, ""), "━━━━━━━━━━"),
    ],
)
def test_bar(bar: meters.Bar, drawn: str) -> None:
    assert bar.text(10).plain == drawn

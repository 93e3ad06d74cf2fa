"""The ring's patterns, against tables that a person can read."""

import pytest

from ear import ring


def strip(state: int, frame: int, count: int = 4, limit: int = 255) -> str:
    """One frame as letters: r, g, b, w for the dominant colour of each LED, . for dark."""
    pixels = bytearray(3 * count)
    ring.draw(state, frame, limit, pixels)
    return "".join(_letter(*pixels[at : at + 3]) for at in range(0, len(pixels), 3))


def _letter(red: int, green: int, blue: int) -> str:
    lit = (red > 0, green > 0, blue > 0)
    if lit == (True, True, False):
        return "y" if red == green else "r"
    names = {(0, 0, 0): ".", (1, 1, 1): "w", (1, 0, 1): "p", (1, 0, 0): "r", (0, 0, 1): "b"}
    return names[lit]


@pytest.mark.parametrize(
    ("state", "frames"),
    [
        (ring.OFF, ["....", "....", "...."]),
        (ring.STARTING, ["w...", ".w..", "..w.", "...w", "w..."]),
        (ring.LISTENING, ["w...", "w...", "w..."]),
        (ring.BLUE, ["bbbb", "bbbb", "bbbb"]),
        (ring.MUTED, ["rrrr", "rrrr"]),
        (ring.BENCH, ["p...", ".p..", "..p."]),
        (ring.WOKEN, ["wwww", "wwww"]),
    ],
)
def test_pattern(state: int, frames: list[str]) -> None:
    assert [strip(state, frame) for frame in range(len(frames))] == frames


@pytest.mark.parametrize(
    ("state", "colour", "blinks"),
    [
        (ring.ERROR_MODEL, "r", 2),
        (ring.ERROR_MICROPHONE, "r", 3),
        (ring.ERROR_MEMORY, "r", 4),
        (ring.SAFE_MODE, "y", 1),
    ],
)
def test_errors_are_told_apart_by_counting_blinks(state: int, colour: str, blinks: int) -> None:
    lit, dark = colour * 5, "." * 5
    second = (lit + dark) * blinks + "." * 25
    shown = "".join(strip(state, frame, count=1) for frame in range(2 * len(second)))
    assert shown == second * 2


def test_blue_belongs_to_one_state_alone() -> None:
    blue = [
        name
        for state, name in enumerate(ring.STATES)
        for frame in range(200)
        if "b" in strip(state, frame)
    ]
    assert set(blue) == {"blue"}


def test_every_state_has_a_pattern() -> None:
    assert len(ring.STATES) == len(ring._PATTERNS)


@pytest.mark.parametrize(("limit", "brightest"), [(255, 255), (64, 64), (1, 1), (0, 0)])
def test_brightness_limit(limit: int, brightest: int) -> None:
    pixels = bytearray(36)
    ring.draw(ring.BLUE, 0, limit, pixels)
    assert max(pixels) == brightest


class Leds:
    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, pixels: bytearray) -> None:
        self.writes.append(bytes(pixels))

    def write_again(self) -> None:
        self.writes.append(self.writes[-1])


def test_blue_is_written_before_show_returns() -> None:
    leds = Leds()
    shell = ring.Ring(leds, 2)
    shell.show(ring.BLUE)
    assert leds.writes == [bytes((0, 0, 255)) * 2]


def test_at_most_25_frames_a_second() -> None:
    leds = Leds()
    shell = ring.Ring(leds, 12)
    shell.show(ring.STARTING)
    written = [shell.tick() and shell.write_frame() for _ in range(100)]  # a second of hops
    assert sum(written) == 25
    assert len(leds.writes) == 26


def test_a_still_state_is_written_once() -> None:
    leds = Leds()
    shell = ring.Ring(leds, 12)
    shell.show(ring.LISTENING)
    assert not any(shell.tick() and shell.write_frame() for _ in range(100))
    assert len(leds.writes) == 1


def test_blue_is_kept_up() -> None:
    """Written again and again, without news for the host: what failed in between is mended."""
    leds = Leds()
    shell = ring.Ring(leds, 2)
    shell.show(ring.BLUE)
    assert not any(shell.tick() and shell.write_frame() for _ in range(100))
    assert leds.writes == [bytes((0, 0, 255)) * 2] * 26

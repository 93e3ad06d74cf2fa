"""Draw the pictures of the documentation: ``python -m tests.pictures``.

The firmware hears the demo's scene on the virtual board, as fast as it goes, until its ring is
blue for the first time; the monitor's own view of that moment becomes ``docs/monitor.svg``. Times
of day count from midnight at the scene's beginning, so with one MicroPython the picture is the same
each time.
"""

import io
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from bluering import audio, demo
from bluering.link import Received
from bluering.link.records import Record, Ring, Scores
from bluering.models.packaged import packaged
from bluering.monitor.state import MonitorState
from bluering.monitor.view import draw
from bluering.virtual.listen import messages
from bluering.virtual.runner import VirtualBoard
from ear.ring import BLUE

MONITOR = Path(__file__).parents[1] / "docs" / "monitor.svg"
_WORDS = ("alexa", "computer", "hey_echo")
_HOPS_PER_SECOND = 100
_DAY_S = 86_400
_ROUNDING_S = 0.001  # so that the scene's beginning isn't the last second of the day before
_COLUMNS, _LINES = 100, 26

_FETCHED_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Write the pictures."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    MONITOR.write_text(monitor(), encoding="utf-8")


def monitor() -> str:
    """The monitor just after the first wake, as SVG."""
    state = MonitorState(port="virtual")
    midnight = time.monotonic() - time.time() % _DAY_S + _ROUNDING_S
    for at, message in _until_woken():
        state.apply(Received(midnight + at, message))
    console = Console(
        record=True,
        file=io.StringIO(),
        width=_COLUMNS,
        height=_LINES,
        force_terminal=True,
        color_system="truecolor",
    )
    console.print(draw(state), end="")
    picture = console.export_svg(title="bluering demo", unique_id="monitor")
    # A reader's own fonts do; those that rich names would be fetched from elsewhere.
    return _FETCHED_FONT.sub("", picture)


def _until_woken() -> Iterator[tuple[float, Record]]:
    """What the board says, each with the seconds of sound that it had heard by then."""
    words = [packaged(name) for name in _WORDS]
    sound = audio.as_bytes(audio.file_blocks(demo.FLAC))
    at, blue = 0, False
    with VirtualBoard(words, sound, settings=demo.SETTINGS) as board:
        for message in messages(board):
            if isinstance(message, Scores):
                at = message.position
            yield at / _HOPS_PER_SECOND, message
            blue = blue or (isinstance(message, Ring) and message.state == BLUE)
            if blue and isinstance(message, Scores):  # those that woke it
                return


if __name__ == "__main__":
    main()

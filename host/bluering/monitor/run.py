"""The monitor's ways of showing what a connection brings, each until it is told to end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bluering.link import Connection, Event, LinkLostError, Received, control
from bluering.link.records import Hello
from bluering.monitor import machine
from bluering.monitor.state import MonitorState
from bluering.monitor.view import draw
from bluering.monitor.wording import clock

_FRAME_S = 1 / 15

KeepGoing = Callable[[], bool]


def for_seconds(seconds: float | None) -> KeepGoing:
    """True for so many seconds from now, or for ever."""
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    return lambda: time.monotonic() < end


def show(
    connection: Connection, console: Console, keep_going: KeepGoing, state: MonitorState
) -> None:
    """The full-screen view on a terminal, else a line for whatever is worth one.

    What becomes known is in ``state``, also when Ctrl-C ends it.
    """
    if console.is_terminal and not console.is_dumb_terminal:
        _show_live(connection, console, keep_going, state)
    else:
        _show_lines(connection, console, keep_going, state)


def _show_live(
    connection: Connection, console: Console, keep_going: KeepGoing, state: MonitorState
) -> None:
    next_frame = 0.0
    with Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as live:
        while keep_going():
            for event in _poll(connection):
                state.apply(event)
            if time.monotonic() >= next_frame:
                live.update(draw(state), refresh=True)
                next_frame = time.monotonic() + _FRAME_S


def _show_lines(
    connection: Connection, console: Console, keep_going: KeepGoing, state: MonitorState
) -> None:
    for event in _events(connection, keep_going):
        for note in state.apply(event):
            console.print(Text(f"{clock(note.at)}  {note.level:7}  {note.text}"), soft_wrap=True)


def show_json(connection: Connection, keep_going: KeepGoing) -> None:
    """Every event as a JSON object, a line each."""
    for event in _events(connection, keep_going):
        print(machine.line(event), flush=True)


def _events(connection: Connection, keep_going: KeepGoing) -> Iterator[Event]:
    while keep_going():
        yield from _poll(connection)


def _poll(connection: Connection) -> Sequence[Event]:
    """The next events. A device that says hello is told the time of day."""
    events = connection.poll(_FRAME_S)
    if any(isinstance(event, Received) and isinstance(event.message, Hello) for event in events):
        with suppress(LinkLostError):
            control.tell_time(connection)
    return events

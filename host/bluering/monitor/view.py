"""The live view: a monitor's state drawn for a terminal of any size."""

import math
from dataclasses import dataclass

from rich.align import Align
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.layout import Layout
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from bluering.monitor import meters
from bluering.monitor.state import MonitorState, WordState
from bluering.monitor.wording import clock, duration, fraction, printable, state_name

_NOTE_STYLES = {"info": "", "wake": "bold bright_blue", "warning": "yellow", "error": "bold red"}
_NOTE_SIGNS = {"info": " ", "wake": "●", "warning": "!", "error": "✗"}
_QUIETEST_DB = -60
_LOUDEST_PEAK = 32767
_RING_MARGIN = 3
_SPACED_WORDS = 4

_Row = tuple[RenderableType, ...]


def draw(state: MonitorState) -> RenderableType:
    """The whole screen."""
    ring = _ring(state)
    bars = _bars(state)
    height = max(len(ring), len(bars))
    screen = Layout()
    screen.split_column(
        Layout(_header(state), size=1),
        Layout(_instruments(ring, bars, height), size=height + 2),
        Layout(_panel(Notes(state), "events")),
        Layout(_footer(state), size=1),
    )
    return screen


def _panel(content: RenderableType, title: str | None = None) -> Panel:
    return Panel(content, title=title, title_align="left", border_style="grey37", padding=(0, 1))


def _header(state: MonitorState) -> RenderableType:
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    bar.add_column(justify="right", no_wrap=True)
    hello = state.hello
    device = (
        f" · {hello.board} · firmware {hello.firmware} · {hello.runtime}"
        if hello
        else " · waiting for the device to say hello"
    )
    link = (
        Text(f"● {state.port} ", "green")
        if state.port
        else Text("✗ disconnected, trying again ", "bold red")
    )
    bar.add_row(Text.assemble((" BlueRing", "bold bright_blue"), printable(device)), link)
    return bar


def _ring(state: MonitorState) -> list[Text]:
    if state.ring is None:
        return [Text("no news of the ring", "dim")]
    return [*meters.ring(state.ring.colours), Text(state_name(state.ring.state), "bold")]


def _bars(state: MonitorState) -> list[_Row]:
    gap: list[_Row] = [()] if len(state.words) <= _SPACED_WORDS else []
    rows: list[_Row] = []
    for word in state.words.values():
        rows += [(word.name, _score(word), fraction(word.mean), _wakes(word.wakes)), *gap]
    peak = state.scores.peak if state.scores else 0
    return [*rows, ("level", *_level(peak))]


def _instruments(ring: list[Text], bars: list[_Row], height: int) -> RenderableType:
    light = Group(*(Align.center(line) for line in ring))
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for row in bars:
        table.add_row(*row)
    columns = Table.grid(expand=True, padding=(0, _RING_MARGIN))
    columns.add_column(width=max(line.cell_len for line in ring))
    columns.add_column(ratio=1)
    columns.add_row(light, Align(table, vertical="middle", height=height))
    return _panel(columns)


def _score(word: WordState) -> meters.Bar:
    style = "bold bright_blue" if word.mean > word.cutoff else "cyan"
    return meters.Bar(word.mean / 255, style, mark=word.cutoff / 255, held=word.held / 255)


def _wakes(number: int) -> Text:
    return Text(f"●{number}", "bold bright_blue") if number else Text()


def _level(peak: int) -> tuple[meters.Bar, str]:
    if peak == 0:
        return meters.Bar(0, ""), "silent"
    decibels = 20 * math.log10(peak / _LOUDEST_PEAK)
    style = "red" if decibels > -1 else "yellow" if decibels > -6 else "green"
    return meters.Bar(max(1 - decibels / _QUIETEST_DB, 0), style), f"{decibels:.0f} dB"


def _footer(state: MonitorState) -> RenderableType:
    parts = [f"lost {state.frames_lost}"] if state.frames_lost else []
    if state.garbage:
        parts.append(f"noise {state.garbage} B")
    worrying = bool(parts)
    if health := state.health:
        worrying = worrying or bool(health.gaps or health.frames_dropped)
        parts = [
            f"heard {duration(health.hops, state.hello)}",
            f"slowest hop {health.slowest_us / 1000:.1f} ms",
            f"heap {health.free_heap // 1024} KiB",
            f"gaps {health.gaps}",
            f"dropped {health.frames_dropped}",
            *parts,
        ]
    return Text(" " + "  ".join(parts), "yellow" if worrying else "dim", no_wrap=True)


@dataclass(frozen=True)
class Notes:
    """As many of the newest notes as there is room for, the newest at the bottom."""

    state: MonitorState

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or options.size.height
        notes = list(self.state.notes)[-height:]
        table = Table.grid(padding=(0, 1))
        for note in notes:
            style = _NOTE_STYLES[note.level]
            table.add_row(
                Text(clock(note.at), "dim"),
                Text(_NOTE_SIGNS[note.level], style),
                Text(note.text, style),
            )
        lines = console.render_lines(table, options.update(height=None)) if notes else []
        for line in lines[-height:]:
            yield from line
            yield Segment.line()

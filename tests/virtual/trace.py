"""Reads what a virtual board did, byte by byte: the link and the ring at work.

The program ``tests/device/app_traced.py`` notes at each write to the LEDs how far the link had
come, so that for every byte it is known what the ring showed when it left.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bluering.link import codec
from bluering.link.records import Record, RecordingChunk, RecordingEnd, RecordingStart, Ring
from bluering.virtual.runner import VirtualBoard
from ear import ring
from ear.link import frames, messages

PROGRAM = Path(__file__).parents[1] / "device" / "app_traced.py"
_ENTRY = struct.Struct("<IB")
_FAILED = ()
_UNSENT_HOPS = 20  # so long a recording may last of which nothing was sent
AUDIO = messages.RECORDING_CHUNK.id

Pixels = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Shown:
    """What the ring showed from the link's byte ``at`` and the microphone's hop ``hops`` on."""

    at: int
    hops: int
    pixels: Pixels  # none: it could not be written

    @property
    def is_blue(self) -> bool:
        """Whether every LED was blue and nothing else, at any brightness."""
        return bool(self.pixels) and all(
            (red, green) == (0, 0) and blue > 0 for red, green, blue in self.pixels
        )


@dataclass(frozen=True)
class Trace:
    """All bytes that left on the link, and all that the ring showed."""

    stream: bytes
    shown: list[Shown]

    def bodies(self) -> Iterator[tuple[int, bytes]]:
        """Each frame, whole or broken off, with the place of its first byte."""
        at = 0
        for body in self.stream.split(b"\0"):
            if body:
                yield at, body
            at += len(body) + 1

    @cached_property
    def messages(self) -> list[tuple[int, Record]]:
        """Each whole message with its place."""
        opened = ((at, open_frame(body)) for at, body in self.bodies())
        return [(at, message) for at, message in opened if message is not None]

    def blue_runs(self) -> list[tuple[Shown, Shown | None]]:
        """Where the ring turned blue, and where it ceased to be."""
        runs: list[tuple[Shown, Shown | None]] = []
        begun: Shown | None = None
        for shown in self.shown:
            if shown.is_blue and begun is None:
                begun = shown
            elif not shown.is_blue and begun is not None:
                runs.append((begun, shown))
                begun = None
        return runs if begun is None else [*runs, (begun, None)]


def read(board: VirtualBoard, stream: bytes) -> Trace:
    """The trace of a board that ran ``PROGRAM``, of which ``stream`` was read; while it is open."""
    lights = board.lights()
    shown = []
    for at, worked in _ENTRY.iter_unpack((board.flash / "trace").read_bytes()):
        light = next(lights, None) if worked else None
        if worked and light is None:
            break  # killed between the note and the write
        hops = light.hops if light else (shown[-1].hops if shown else 0)
        shown.append(Shown(at, hops, light.pixels if light else _FAILED))
    return Trace(stream, shown)


def open_frame(body: bytes) -> Record | None:
    """The message in a frame, its zeros taken off; None when it was broken off."""
    message = bytearray(len(body) + frames.CRC)
    size = frames.unseal(body, len(body), message)
    if size < frames.HEADER:
        return None
    return codec.unpack(message[0], bytes(message[frames.HEADER : size]))


@dataclass
class Findings:
    """What a check found: how much there was, and every violation as a sentence."""

    audio_bytes: int = 0
    recordings: int = 0
    violations: list[str] = field(default_factory=list)


def check(trace: Trace) -> Findings:
    """Hold a trace against what the gate promises."""
    found = Findings()
    _check_audio(trace, found)
    _check_blue(trace, found)
    _check_muted(trace, found)
    _check_told(trace, found)
    _check_endings(trace, found)
    return found


def _check_audio(trace: Trace, found: Findings) -> None:
    """Every byte of sound, also of a frame that was broken off, left under a blue ring."""
    runs = [
        (begun.at, ceased.at if ceased else len(trace.stream))
        for begun, ceased in trace.blue_runs()
    ]
    place = 0
    for at, body in trace.bodies():
        # COBS: a first code above 1 is followed by the frame's first byte, its kind.
        if len(body) < 2 or body[0] == 1 or body[1] != AUDIO:
            continue
        found.audio_bytes += len(body)
        while place < len(runs) and runs[place][1] < at + len(body):
            place += 1
        if place == len(runs) or at < runs[place][0]:
            found.violations.append(f"{len(body)} bytes of sound at {at} without a blue ring")


def _check_blue(trace: Trace, found: Findings) -> None:
    """Blue means a recording: at most one begins in each stretch of it, and none outside."""
    starts = {}
    for at, message in trace.messages:
        if isinstance(message, RecordingStart):
            starts.setdefault(message.number, at)
    found.recordings = len(starts)
    for number, (begun, ceased) in enumerate(trace.blue_runs(), 1):
        within = [
            n for n, at in starts.items() if begun.at <= at < (ceased.at if ceased else at + 1)
        ]
        if within not in ([], [number]):
            found.violations.append(f"the ring's blue number {number} held recordings {within}")
        elif not within and ceased and ceased.hops > begun.hops + _UNSENT_HOPS:
            found.violations.append(f"the ring's blue number {number} held no recording")
        starts.pop(number, None)
    if starts:
        found.violations.append(f"recordings {list(starts)} began without a blue of their own")


def _check_muted(trace: Trace, found: Findings) -> None:
    """While the ring says muted, the microphone isn't read."""
    for before, after in zip(trace.shown, trace.shown[1:], strict=False):
        red = bool(before.pixels) and all(p[0] and not p[1] and not p[2] for p in before.pixels)
        if red and after.hops != before.hops:
            found.violations.append(f"{after.hops - before.hops} hops were heard while muted")


def _check_told(trace: Trace, found: Findings) -> None:
    """What the link says of the ring, the ring has shown before."""
    lit: set[bytes] = set()
    coming = iter([*trace.shown, None])
    shown = next(coming)
    for at, message in trace.messages:
        while shown is not None and shown.at <= at:
            lit.add(bytes(channel for pixel in shown.pixels for channel in pixel))
            shown = next(coming)
        if isinstance(message, Ring) and message.colours not in lit:
            found.violations.append(f"'{ring.STATES[message.state]}' was told before it was shown")


def _check_endings(trace: Trace, found: Findings) -> None:
    """Every recording that began ends before the next one, or with the device."""
    running: int | None = None
    for at, message in trace.messages:
        if isinstance(message, RecordingStart):
            if running not in (None, message.number):
                found.violations.append(f"recording {running} had no end when the next one began")
            running = message.number
        elif isinstance(message, RecordingChunk) and message.number != running:
            found.violations.append(f"sound at {at} belongs to no recording that runs")
        elif isinstance(message, RecordingEnd):
            running = None

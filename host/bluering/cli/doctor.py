"""``bluering doctor`` and ``bluering status``: how is the device, and what does it do."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from bluering import doctor as doctors
from bluering.cli.monitor import PortOption
from bluering.cli.options import AsJson
from bluering.errors import BlueRingError
from bluering.link import Connection, Received, control
from bluering.link.records import Health, Hello, Ring, Word
from bluering.monitor import machine
from bluering.monitor.state import MonitorState
from bluering.monitor.wording import duration, fraction, state_name

_COLOURS = {"good": "green", "doubtful": "yellow", "bad": "red", "unknown": "dim"}
_STATUS_S = 5.0


class SilentDeviceError(BlueRingError):
    """Nothing that a device says came over the port."""


def doctor(port: PortOption = "auto", as_json: AsJson = False) -> None:
    """Check cable, permission, application, ring, microphone, clock and heap.

    Exit code 0 when nothing is bad, else 1.
    """
    found = []
    console = Console()
    for finding in doctors.examine(port):
        found.append(finding)
        if not as_json:
            verdict = Text(f"{finding.verdict:9}", _COLOURS[finding.verdict])
            line = Text.assemble(verdict, f"{finding.what:12}{finding.found}")
            console.print(line, soft_wrap=True)
            if finding.advice:
                console.print(Text(f"{'':21}-> {finding.advice}"), soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.verdict == "bad" for finding in found):
        raise typer.Exit(1)


def status(port: PortOption = "auto", as_json: AsJson = False) -> None:
    """Show in a few lines what a device is, listens for and does."""
    with Connection(port) as connection:
        state = MonitorState(port=connection.port)
        lines = []
        for event in connection.events(_STATUS_S):
            state.apply(event)
            if isinstance(event, Received) and isinstance(event.message, Hello):
                control.tell_time(connection)
            if isinstance(event, Received) and isinstance(
                event.message, Hello | Word | Ring | Health
            ):
                lines.append(machine.line(event))
            if state.hello and state.ring and state.health:
                break
        if state.hello is None:
            raise SilentDeviceError(f"nothing came from {port}", "'bluering doctor' tells why")
        settings = control.settings(connection)
    if as_json:
        lines.append(json.dumps({"event": "settings", "settings": settings}))
    else:
        lines = [*_lines(state), *policy_lines(settings)]
    typer.echo("\n".join(lines))


def _lines(state: MonitorState) -> list[str]:
    hello = state.hello
    assert hello is not None
    lines = [
        f"board     {hello.board}, firmware {hello.firmware}, {hello.runtime}",
        f"kernels   {hello.kernels or 'viper'}",
    ]
    lines += [
        f"word      {word.name}, cutoff {fraction(word.cutoff)}" for word in state.words.values()
    ]
    if state.ring:
        lines.append(f"ring      {state_name(state.ring.state)}")
    if state.health:
        health = state.health
        lines.append(
            f"running   {duration(health.position, hello)}, {health.gaps} gaps, "
            f"{health.frames_dropped} messages dropped, {health.free_heap} bytes free"
        )
    return lines


def policy_lines(settings: Mapping[str, Any]) -> list[str]:
    """What the owner allows, in words."""
    if not settings["record"]:
        recording = "off: the device only says that it woke"
    else:
        recording = f"on, at most {settings['longest_s']} s after a wake"
        if settings["pre_roll"]:
            recording += ", and half a second before it where the host allows that too"
    lines = [
        f"record    {recording}",
        f"review    {'on: people may review recordings' if settings['review'] else 'off'}",
        f"kept      {settings['retention_days']} days",
    ]
    start, end = settings["quiet_from"], settings["quiet_to"]
    if start >= 0 and end >= 0:
        lines.append(f"quiet     nothing is recorded from {_clock(start)} to {_clock(end)}")
    return lines


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

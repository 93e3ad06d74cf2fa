"""``bluering monitor`` as a user runs it: on a pseudo-terminal, in a pipe, for a program."""

import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from fcntl import ioctl
from pathlib import Path

import pytest

from bluering.link.records import Bye, Health, Log, Ring, Scores, Wake
from ear.ring import BLUE
from tests.unit.pretend_device import ALEXA, HELLO, PretendDevice

_PATIENCE_S = 60
_WAKE = Wake(0x20000, 0, 240, 214, bytes(range(32)), "alexa", bytes([204, 255]))
_BLUE = bytes([0, 0, 255] * 12)


class Monitor:
    """A running ``bluering monitor``; what it writes to its output is collected."""

    def __init__(self, output: int, process: subprocess.Popen[bytes]) -> None:
        self._output = output
        self.process = process
        self.text = ""

    def wait_for(self, enough: Callable[[str], object]) -> None:
        """Read on until there is enough."""
        end = time.monotonic() + _PATIENCE_S
        while not enough(self.text):
            assert time.monotonic() < end, f"only this came: {self.text}"
            if select.select([self._output], [], [], 0.1)[0]:
                self.text += os.read(self._output, 65536).decode(errors="replace")

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it; returns its exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode, errors.decode()


@pytest.fixture
def start() -> Iterator[Callable[..., Monitor]]:
    """Starts a monitor whose output is a pipe or, if asked for, a terminal."""
    opened: list[int] = []
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, terminal: bool = False, **environment: str) -> Monitor:
        ours, theirs = os.openpty() if terminal else os.pipe()
        opened.append(ours)
        if terminal:
            ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "BLUERING_PORT")
        }
        process = subprocess.Popen(
            [Path(sys.executable).with_name("bluering"), "monitor", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            env={**clean, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environment},
        )
        os.close(theirs)
        running.append(process)
        return Monitor(ours, process)

    yield start
    for process in running:
        process.kill()
        process.wait()
        assert process.stderr
        process.stderr.close()
    for descriptor in opened:
        os.close(descriptor)


def test_json_survives_all_that_happens_to_a_cable(
    device: PretendDevice, start: Callable[..., Monitor]
) -> None:
    monitor = start("--json", BLUERING_PORT=str(device.path))
    assert device.heard(_PATIENCE_S)
    device.say(HELLO, ALEXA, Scores(3, 9000, b"\x0a", b"\x0b"), _WAKE, Ring(1, BLUE, _BLUE))
    device.write(b"Oops\r\n")
    device.say(Health(1, 2, 3, 4, 5, 6, 7, 8), Log(1, "hot", "it is warm"))
    device.write(device.frame(ALEXA)[:-6])
    device.say(Bye("x"))
    monitor.wait_for(lambda text: '"bye"' in text)
    device.unplug()
    monitor.wait_for(lambda text: '"disconnected"' in text)
    device.plug()
    assert device.heard(_PATIENCE_S)
    device.say(HELLO)
    monitor.wait_for(lambda text: text.count('"hello"') == 2)
    code, errors = monitor.end()
    assert code == 0
    assert f"connected to {device.path}" in errors
    assert "Traceback" not in errors

    events = [json.loads(line) for line in monitor.text.splitlines()]
    at = [event.pop("at") for event in events]
    assert at == sorted(at)
    times = [datetime.fromisoformat(event.pop("time")) for event in events]
    assert all(time.tzinfo is not None for time in times)
    names = [event.pop("event") for event in events]
    assert names[:8] == ["hello", "word", "scores", "wake", "ring", "garbage", "health", "log"]
    assert names[8:11] == ["garbage", "lost", "bye"]
    assert names[11:] == ["disconnected", "reconnected", "hello"]
    by_name = dict(zip(names, events, strict=True))
    assert by_name["word"]["model_sha256"] == bytes(range(32)).hex()
    assert by_name["scores"] == {
        "position": 3,
        "peak": 9000,
        "probabilities": [10],
        "means": [11],
    }
    assert by_name["wake"]["newest"] == [204, 255]
    assert by_name["wake"]["position"] == 0x20000
    assert by_name["ring"] == {"position": 1, "state": "blue", "colours": _BLUE.hex()}
    assert by_name["log"] == {"severity": "warning", "code": "hot", "text": "it is warm"}
    assert events[5] == {"bytes": 6, "text": "Oops", "data": b"Oops\r\n".hex()}
    assert by_name["lost"] == {"frames": 1}
    assert by_name["reconnected"] == {"port": str(device.path)}


def test_lines_where_there_is_no_terminal(
    device: PretendDevice, start: Callable[..., Monitor]
) -> None:
    monitor = start("--port", str(device.path))
    assert device.heard(_PATIENCE_S)
    device.say(HELLO, ALEXA, Scores(3, 9000, b"\x0a", b"\x0b"), _WAKE, Ring(1, BLUE, _BLUE))
    monitor.wait_for(lambda text: "ring: blue" in text)
    device.unplug()
    monitor.wait_for(lambda text: "disconnected" in text)
    assert monitor.end()[0] == 0
    lines = monitor.text.splitlines()
    assert "\x1b" not in monitor.text
    assert len(lines) == 5
    assert re.fullmatch(r"\d\d:\d\d:\d\d  wake     alexa: 0.94 over the cutoff 0.84 .*", lines[2])


def test_live_on_a_terminal(device: PretendDevice, start: Callable[..., Monitor]) -> None:
    monitor = start("--port", str(device.path), terminal=True)
    assert device.heard(_PATIENCE_S)
    device.say(HELLO, ALEXA, Scores(3, 9000, b"\x0a", b"\x0b"), _WAKE)
    # The LEDs' blue, in true colour.
    monitor.wait_for(lambda text: "alexa: 0.94" in text)
    assert "\x1b[38;2;0;0;255m●" not in monitor.text
    device.say(Ring(1, BLUE, _BLUE))
    monitor.wait_for(lambda text: text.count("\x1b[38;2;0;0;255m●") >= 12)
    device.unplug()
    monitor.wait_for(lambda text: "disconnected, trying again" in text)
    device.plug()
    assert device.heard(_PATIENCE_S)
    monitor.wait_for(lambda text: "reconnected" in text)
    code, errors = monitor.end()
    assert code == 0
    assert "Traceback" not in errors
    # The screen that was there before is back, with its cursor.
    monitor.wait_for(lambda text: "\x1b[?1049l" in text)
    assert "\x1b[?25h" in monitor.text


def test_no_colour_if_so_wished(device: PretendDevice, start: Callable[..., Monitor]) -> None:
    monitor = start("--port", str(device.path), terminal=True, NO_COLOR="1")
    assert device.heard(_PATIENCE_S)
    device.say(HELLO, Ring(1, BLUE, _BLUE))
    monitor.wait_for(lambda text: text.count("●") > 12)
    assert monitor.end()[0] == 0
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", monitor.text)


def test_duration_ends_it(device: PretendDevice, start: Callable[..., Monitor]) -> None:
    monitor = start("--port", str(device.path), "--duration", "0.1")
    assert monitor.process.wait(_PATIENCE_S) == 0


def test_a_port_that_is_not_there(tmp_path: Path, start: Callable[..., Monitor]) -> None:
    monitor = start("--port", str(tmp_path / "gone"))
    assert monitor.process.wait(_PATIENCE_S) == 1
    assert monitor.process.stderr
    assert monitor.process.stderr.read().startswith(b"error: there is no port ")


def test_list_lists(start: Callable[..., Monitor]) -> None:
    assert start("--port", "list").process.wait(_PATIENCE_S) == 0

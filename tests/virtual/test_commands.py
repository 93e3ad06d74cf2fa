"""The commands that talk to a running device, with a virtual board behind a port."""

import itertools
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from bluering import doctor
from bluering.cli import app
from bluering.link import Received
from bluering.link.records import Health, Log, Ring
from bluering.models.packaged import packaged
from bluering.virtual.hub import Hub
from bluering.virtual.runner import VirtualBoard
from ear import ring
from ear.link.messages import SEVERITIES
from tests.unit.pretend_device import ALEXA, HELLO

MUTE = 7  # the virtual board's pin
_PATIENCE_S = 60


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """A board in a room with a little noise."""
    noise = np.random.default_rng(1).normal(0, 100, 16000).astype("<i2").tobytes()
    words = [packaged("alexa"), packaged("computer")]
    with VirtualBoard(words, itertools.repeat(noise), pace="real") as board:
        yield board


@pytest.fixture
def port(board: VirtualBoard) -> Iterator[str]:
    with Hub(board.from_device, board.to_device) as hub:
        yield hub.path


def run(port: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--port", port])


def verdicts(result: Result) -> dict[str, str]:
    return {finding["what"]: finding["verdict"] for finding in json.loads(result.stdout)}


def test_settings_are_read_and_changed(board: VirtualBoard, port: str) -> None:
    before = json.loads(run(port, "config", "get", "--json").stdout)
    assert before["words"] == []
    assert before["record"] is False
    assert run(port, "config", "set", "cutoff.alexa", "0.97").stdout == "cutoff.alexa  247\n"
    assert run(port, "config", "set", "words", "alexa").exit_code == 0
    assert run(port, "config", "set", "night_from", "22:30").exit_code == 0
    assert run(port, "config", "get", "night_from").stdout == "1350\n"
    status = run(port, "status").stdout
    assert "Alexa, cutoff 0.97" in status
    assert "computer" not in status

    board.restart("power")
    after = json.loads(run(port, "config", "get", "--json").stdout)
    changed = {"cutoff.alexa": 247, "words": ["alexa"], "night_from": 1350}
    assert after == {**before, **changed}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("words", "alexa,echo", "the board has no word echo, it has alexa, computer"),
        ("cutoff.echo", "0.5", "the board has no word echo"),
        ("cutoff.alexa", "300", "is -1 to 255, not 300"),
        ("brightness", "dark", "is a whole number, not dark"),
        ("record", "maybe", "is true or false, not maybe"),
        ("colour", "blue", "there is no setting colour"),
    ],
)
def test_what_a_setting_cannot_be(port: str, name: str, value: str, reason: str) -> None:
    result = run(port, "config", "set", name, value)
    assert result.exit_code == 1
    assert reason in str(result.exception)


def test_a_healthy_device(port: str) -> None:
    result = run(port, "doctor", "--json")
    assert result.exit_code == 0, result.stdout
    found = verdicts(result)
    assert found.pop("cable") == found.pop("link", "unknown") == "unknown"
    found.pop("clock")  # this computer may be busy
    assert set(found.values()) == {"good"}
    assert {"permission", "application", "words", "ring", "microphone", "heap"} < set(found)


def test_a_muted_device(board: VirtualBoard, port: str) -> None:
    board.switch(MUTE, 0)
    result = run(port, "doctor", "--json")
    assert result.exit_code == 0
    assert verdicts(result)["microphone"] == "unknown"
    assert "lift the mute switch" in result.stdout


def test_no_device(tmp_path: Path) -> None:
    result = run(str(tmp_path / "none"), "doctor")
    assert result.exit_code == 1
    assert "bad" in result.stdout
    assert "is the board plugged in?" in result.stdout


def seen(**changes: object) -> doctor.Seen:
    """A healthy device, but for the changes."""
    healthy: dict = {
        "hello": HELLO,
        "words": {0: ALEXA},
        "ring": Ring(1, ring.LISTENING, bytes(36)),
        "health": Health(500, 500, 0, 0, 0, 4000, 100_000, 1),
        "peaks": [40, 900],
    }
    return doctor.Seen(**{**healthy, **changes})


@pytest.mark.parametrize(
    ("changes", "what", "verdict", "words"),
    [
        ({"hello": None}, "application", "bad", "nothing is said"),
        ({"hello": None, "text": ">>> "}, "application", "bad", "prompt"),
        ({"words": {}}, "words", "bad", "listens for nothing"),
        ({"ring": Ring(1, ring.SAFE_MODE, bytes(36))}, "ring", "bad", "safe mode"),
        ({"ring": Ring(1, ring.LISTENING, b"")}, "ring", "doubtful", "no light"),
        ({"peaks": []}, "microphone", "bad", "no sound"),
        ({"peaks": [0, 1]}, "microphone", "bad", "silence"),
        ({"peaks": [32767, 32767]}, "microphone", "bad", "limit"),
        ({"health": Health(9, 9, 2, 320, 0, 99, 99_999, 1)}, "clock", "doubtful", "2 gaps"),
        ({"health": Health(9, 9, 0, 0, 0, 12_000, 99_999, 1)}, "clock", "doubtful", "12.0 of 10"),
        ({"health": Health(9, 9, 0, 0, 7, 99, 99_999, 4)}, "link", "doubtful", "7 messages"),
        ({"health": Health(9, 9, 0, 0, 0, 99, 9_999, 1)}, "heap", "doubtful", "9999 bytes"),
        ({"errors": [("heat", "it is warm")]}, "report", "doubtful", "it is warm"),
    ],
)
def test_what_is_wrong_is_named_with_a_remedy(
    changes: dict, what: str, verdict: str, words: str
) -> None:
    findings = [finding for finding in doctor.judge(seen(**changes)) if finding.what == what]
    assert [finding.verdict for finding in findings] == [verdict]
    assert words in findings[0].found
    assert findings[0].advice


@pytest.mark.parametrize(
    ("code", "text", "advice"),
    [
        ("memory", "memory allocation failed, allocating 3856 bytes; 9 bytes are free", "fewer"),
        ("microphone", "I2S can't start: (257, 'ESP_ERR_NO_MEM'); it wants 20000 bytes", "ibuf"),
        ("microphone", "memory allocation failed, allocating 2048 bytes", "fewer words"),
        ("microphone", "I2S can't start: (116, 'ETIMEDOUT')", "pins"),
        ("ring", "(257, 'ESP_ERR_NO_MEM')", "nothing is heard without a light"),
        ("model", "models/alexa.ear ends before its length", "bluering deploy --words"),
        ("crash", "ValueError: crashed", "safe mode"),
        ("watchdog", "it had stood still", "stood still"),
        ("native", "frontend is damaged", "slower"),
        ("safe_mode", "3 starts in a row failed", "cut the power"),
    ],
)
def test_what_a_device_tells_by_itself_is_explained_once(code: str, text: str, advice: str) -> None:
    watched = seen()
    error = SEVERITIES.index("error")
    for _ in range(2):
        watched.take(Received(1.0, Log(error, code, text)))
    reports = [finding for finding in doctor.judge(watched) if finding.what == "report"]
    assert [finding.found for finding in reports] == [text]
    assert advice in reports[0].advice


def test_nothing_is_wrong_with_a_healthy_device() -> None:
    findings = list(doctor.judge(seen()))
    assert len(findings) == 6
    assert {finding.verdict for finding in findings} == {"good"}


def test_the_repl_and_back(port: str) -> None:
    ours, theirs = os.openpty()
    command = [Path(sys.executable).with_name("bluering"), "repl", "--port", port]
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}  # without mpremote
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        terminal = Terminal(ours)
        try:
            # The first prompt may have come before the terminal listened: Enter brings another.
            terminal.until(">>> ", b"\r")
            os.write(ours, b"print(6 * 7)\r")
            terminal.until("42")
            os.write(ours, b"\x1d")
            terminal.until("virtual runs bluering 0.1.0 again")
            assert process.wait(_PATIENCE_S) == 0
        finally:
            process.kill()  # or leaving would wait for it
    os.close(ours)


class Terminal:
    """What a program shows on a terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""

    def until(self, text: str, typed: bytes = b"") -> None:
        """Wait for a text to be shown; typed: what is typed whenever nothing comes for a second."""
        end = time.monotonic() + _PATIENCE_S
        while text not in self.text:
            assert time.monotonic() < end, f"only this came: {self.text}"
            if select.select([self._descriptor], [], [], 1.0)[0]:
                self.text += os.read(self._descriptor, 4096).decode(errors="replace")
            elif typed:
                os.write(self._descriptor, typed)

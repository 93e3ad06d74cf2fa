"""What an owner does, by command: allow, record, listen, mark, mute, look, delete."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from bluering.cli import app
from bluering.link import control
from bluering.link.records import (
    Health,
    Log,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
    Time,
    Wake,
)
from bluering.models.packaged import packaged
from bluering.vault.models import Wake as WakeRow
from bluering.vault.notices import Heard, Notice, Stored
from bluering.vault.vault import Vault
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from ear.privacy import gate
from ear.privacy.shell import MARK_HOPS
from tests.unit import vault_world
from tests.virtual.listened import calls, listen
from tests.watched import Watched

MUTE, BUTTON = 7, 0  # the virtual board's pins
BLUERING = Path(sys.executable).with_name("bluering")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the owner's data is."""
    with vault_world.memory_folder() as folder:
        monkeypatch.setenv("BLUERING_DATA", str(folder))
        monkeypatch.setenv("BLUERING_PASSPHRASE", vault_world.PASSPHRASE)
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")
        yield folder


def _run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == code, f"{result.output} {result.exception!r}"
    return result.output


@contextmanager
def _started(*words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [BLUERING, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str], wanted: str) -> str:
    """The next line with these words."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if wanted in line:
            return line
    raise AssertionError(f"it ended without '{wanted}': {seen}")


def _script_that_keeps_what_it_gets(folder: Path) -> Path:
    """For --exec. The event appears when all of it is there: several may run at once, and the
    listener may be killed in the middle of the last."""
    folder.mkdir()
    script = folder / "keep.sh"
    script.write_text(
        f'#!/bin/sh\nset -e\ncd {folder}\nname=$(basename "$1" .wav)\n'
        'cp "$1" .\ncat > "$name.part"\nmv "$name.part" "$name.json"\n'
    )
    script.chmod(0o700)
    return script


def _first(folder: Path, pattern: str) -> Path:
    """The first such file, once there is one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in folder.glob(pattern):
            return path
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} after 30 s, but {sorted(folder.iterdir())}")


def test_from_the_first_command_to_the_last(home: Path) -> None:
    """A virtual board as it is started by hand, and every command of the vault."""
    sound = home / "calls.wav"
    block = np.frombuffer(b"".join(itertools.islice(calls(4), 60)), "<i2")
    soundfile.write(sound, block, 16000, subtype="PCM_16")
    seen = home / "seen"
    script = _script_that_keeps_what_it_gets(seen)
    _run("vault", "create", "--passphrase")
    with _started("virtual", str(sound)) as board:
        port = _line(board, "port: ").split()[1]
        assert "record    off" in _run("status", "--port", port)
        _run("config", "set", "record", "on", "--port", port)
        _run("config", "set", "longest_s", "1", "--port", port)
        status = _run("status", "--port", port)
        assert "record    on, at most 1 s after a wake" in status
        assert "review    off" in status
        assert "kept      30 days" in status
        with _started("listen", "--port", port, "--exec", str(script)) as listener:
            _line(listener, "stored 1.0 s after 'Alexa', ended by deadline")
            for _ in range(2):
                _line(listener, "stored")
            event = json.loads(_first(seen, "*.json").read_text())
    listed = [json.loads(line) for line in _run("vault", "list", "--json").splitlines()]
    # The first may have begun before anyone listened, and the last be cut off by the kill.
    whole = [one for one in listed if one["complete"]]
    assert len(whole) >= 2
    assert len(listed) - len(whole) <= 2
    assert {one["word"] for one in listed} == {"Alexa"}
    assert event["word"] == "Alexa"
    assert event["id"] in {one["id"] for one in listed}
    heard_s = soundfile.info(seen / f"{event['id']}.wav").duration
    assert heard_s == pytest.approx(event["seconds"])
    _run("vault", "export", whole[0]["id"], "-o", str(home / "whole.flac"))
    assert soundfile.info(home / "whole.flac").duration == pytest.approx(1, abs=0.02)
    _run("vault", "backup", str(home / "backup.tar"))
    assert "1 recordings deleted" in _run("vault", "delete", "last", "--yes")
    assert "0 problems" in _run("vault", "verify")
    assert "recordings deleted" in _run("vault", "delete", "--all", "--yes")
    assert _run("vault", "list", "--json") == ""
    copy = str(home / "copy")
    assert f"{len(listed)} recordings" in _run(
        "vault", "restore", str(home / "backup.tar"), "--vault", copy
    )
    assert "0 problems" in _run("vault", "verify", "--vault", copy)


@pytest.fixture
def vault(home: Path) -> Iterator[Vault]:
    vault = Vault.create(home / "vault", vault_world.PASSPHRASE)
    yield vault
    vault.close()


def test_the_button_deletes_on_both_sides_and_the_event_stays(vault: Vault) -> None:
    def act(board: VirtualBoard, notices: list[Notice]) -> bool:
        if any(isinstance(notice, Stored) for notice in notices):
            board.switch(BUTTON, 0)
        return any("marked the last wake as false" in notice.text for notice in notices)

    notices = listen(vault, {"record": True, "longest_s": 1}, act, pause_s=6)
    assert "marked the last wake as false" in notices[-1].text
    assert vault.list() == []
    assert list(vault.blobs.ids()) == []
    [(tombstone, wake)] = vault.list(tombstones=True)
    assert tombstone.deleted_why == "false wake"
    assert wake is not None
    assert (wake.word, wake.false_by) == ("Alexa", "owner")
    assert wake.score > wake.cutoff


def test_a_false_mark_without_a_recording_marks_the_event(vault: Vault) -> None:
    def act(board: VirtualBoard, notices: list[Notice]) -> bool:
        if any(isinstance(notice, Heard) for notice in notices):
            board.switch(BUTTON, 0)
        return any("marked the last wake as false" in notice.text for notice in notices)

    listen(vault, {}, act, pause_s=3)
    with vault.session() as session:
        assert [row.false_by for row in session.query(WakeRow).all()] == ["owner"]
    assert vault.list(tombstones=True) == []


@contextmanager
def _watched(settings: dict, pause_s: float = 4) -> Iterator[tuple[VirtualBoard, Watched]]:
    board = VirtualBoard([packaged("alexa")], calls(pause_s), pace="fast", settings=settings)
    with board:
        yield board, Watched(Pipe(board))


def test_a_press_later_than_ten_seconds_marks_nothing() -> None:
    with _watched({"record": True, "longest_s": 1}, pause_s=15) as (board, watched):
        watched.until(lambda: watched.all(RecordingEnd))
        [wake] = watched.all(Wake)
        late = wake.position + MARK_HOPS
        watched.until(lambda: any(health.position > late for health in watched.all(Health)))
        heard = len(watched.all(Wake))
        board.switch(BUTTON, 0)
        watched.until(lambda: len(watched.all(Wake)) > heard + 1)
    assert "false_wake" not in watched.states()


def test_mute_ends_a_recording_at_once_and_says_so() -> None:
    with _watched({"record": True, "longest_s": 60}) as (board, watched):
        watched.until(lambda: watched.all(RecordingChunk))
        board.switch(MUTE, 0)
        watched.until(lambda: watched.states()[-1] == "muted")
        end = watched.all(RecordingEnd)[-1]
        assert gate.EVENTS[end.reason] == "switch on"
        at = max(i for i, m in enumerate(watched.said) if isinstance(m, RecordingEnd))
        assert not any(isinstance(m, RecordingChunk) for m in watched.said[at:])


def test_in_quiet_hours_it_only_says_that_it_woke() -> None:
    now = datetime.now()
    minute = now.hour * 60 + now.minute
    quiet = {"quiet_from": (minute - 60) % 1440, "quiet_to": (minute + 60) % 1440}
    with _watched({"record": True, "longest_s": 1, **quiet}) as (_, watched):
        watched.until(lambda: len(watched.all(Wake)) >= 1)  # the time isn't known yet
        assert not watched.all(RecordingStart)
        control.tell_time(watched.link)
        watched.until(lambda: len(watched.all(Wake)) >= 4)
        assert not watched.all(RecordingStart)
        watched.link.send(Time((minute + 90) % 1440))
        watched.until(lambda: watched.all(RecordingStart))
        assert not watched.all(Log)

"""Listening as a whole: several boards, handing on, and a receiver killed at any moment."""

import json
import multiprocessing
import os
import random
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from bluering.link.records import PreRoll
from bluering.review.desk import Desk
from bluering.review.models import AuditEntry
from bluering.review.witness import put_on_record
from bluering.vault import handover, listening, receiver, upkeep
from bluering.vault.models import Recording
from bluering.vault.notices import Notice, Stored
from bluering.vault.vault import NewRecording, Vault
from tests.unit import sound_world, vault_world
from tests.unit.board_server import BoardServer, receive_for_ever

IDENTITIES = {sound_world.DEVICE: sound_world.KEY}


@pytest.fixture
def folder() -> Iterator[Path]:
    with vault_world.memory_folder() as path:
        yield path


@pytest.fixture
def vault(folder: Path) -> Iterator[Vault]:
    vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
    yield vault
    vault.close()


def _listen_until(vault: Vault, board: BoardServer, enough: int, **options) -> list[Notice]:
    notices: list[Notice] = []
    listening.listen(
        vault,
        [board.url],
        IDENTITIES,
        lambda _, notice: notices.append(notice),
        # Refused again and again, it would never be enough.
        keep_going=lambda: (
            board.serving and len(board.acknowledged) < enough and len(board.refused) < 20
        ),
        **options,
    )
    return notices


def test_what_is_acknowledged_is_in_the_vault(vault: Vault):
    board = BoardServer()
    try:
        _listen_until(vault, board, 5, pre_roll=True)
    finally:
        board.close()
    numbers = {row.number for row, _ in vault.list()}
    assert board.acknowledged <= numbers
    assert PreRoll(allowed=1) in board.received
    assert upkeep.verify(vault).ok


def test_no_pre_roll_without_the_hosts_consent(vault: Vault):
    board = BoardServer()
    try:
        _listen_until(vault, board, 1)
    finally:
        board.close()
    assert not any(isinstance(message, PreRoll) for message in board.received)


def test_two_boards_with_one_identity(vault: Vault):
    boards = BoardServer(pause=0.001), BoardServer(pause=0.001)
    notices: list[Notice] = []
    try:
        listening.listen(
            vault,
            [board.url for board in boards],
            IDENTITIES,
            lambda _, notice: notices.append(notice),
            keep_going=lambda: (
                boards[0].serving and not any("same identity" in notice.text for notice in notices)
            ),
        )
    finally:
        for board in boards:
            board.close()
    assert any("same identity" in notice.text for notice in notices)
    assert upkeep.verify(vault).ok


def test_a_command_gets_the_event_and_the_sound(vault: Vault, folder: Path):
    """What the command sees: the event on its input, a private WAV file, gone afterwards."""
    script, seen = folder / "look.py", folder / "seen"
    seen.mkdir()
    script.write_text(
        "import json, os, shutil, sys\n"
        "event = json.load(sys.stdin)\n"
        "assert event['path'] == sys.argv[1]\n"
        "event['mode'] = os.stat(event['path']).st_mode\n"
        f"shutil.copy(event['path'], '{seen}/' + event['id'] + '.wav')\n"
        f"json.dump(event, open('{seen}/' + event['id'] + '.json', 'w'))\n"
    )
    Desk.prepare(vault)
    put_on_record(vault)
    board = BoardServer(pause=0.002)
    give = handover.command(f"{sys.executable} {script}")
    try:
        notices = _listen_until(vault, board, 2, gives=[give])
    finally:
        board.close()
    assert [notice for notice in notices if notice.failed] == []
    events = [json.loads(path.read_text()) for path in seen.glob("*.json")]
    assert len(events) >= 2
    with vault.session() as session:
        logged = set(session.scalars(select(AuditEntry.subject).filter_by(action="hand over")))
    assert logged == {event["id"] for event in events}
    for event in events:
        assert (event["word"], event["complete"], event["seconds"]) == ("alexa", True, 0.2)
        assert stat.S_IMODE(event["mode"]) == 0o600
        assert not Path(event["path"]).exists()
        row = vault.find(event["id"])
        samples, _ = soundfile.read(seen / f"{event['id']}.wav", dtype="int16")
        np.testing.assert_array_equal(samples, sound_world.sound(row.number, 20))


def test_what_has_no_sound_is_not_handed_on(vault: Vault):
    """Of every other recording nothing arrives: an entry of the vault, no event for a command."""
    board = BoardServer(lambda number: sound_world.recording(number) if number % 2 else [])
    events: list[dict] = []
    try:
        _listen_until(vault, board, 3, gives=[lambda event: events.append(event)])
    finally:
        board.close()
    rows = {row.number: row for row, _ in vault.list()}
    assert {2, 4} <= rows.keys()
    assert all(row.complete == bool(number % 2) for number, row in rows.items())
    assert len(events) >= 3
    assert {rows[number].id for number in (2, 4)}.isdisjoint(event["id"] for event in events)


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (handover.command("false"), "the command 'false' failed"),
        (handover.command("/no/such/program"), "the command '/no/such/program' failed"),
        (handover.web_hook("http://127.0.0.1:1/"), "the web hook http://127.0.0.1:1/ failed"),
    ],
)
def test_a_failing_command_or_hook_is_said_and_costs_nothing(
    vault: Vault, give: handover.Give, words: str
):
    board = BoardServer(pause=0.002)
    try:
        notices = _listen_until(vault, board, 1, gives=[give])
    finally:
        board.close()
    assert any(words in notice.text for notice in notices)
    assert upkeep.verify(vault).ok


def test_a_web_hook_gets_the_event(vault: Vault):
    events: list[dict] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    board = BoardServer(pause=0.002)
    try:
        give = handover.web_hook(f"http://127.0.0.1:{server.server_port}/hook")
        _listen_until(vault, board, 1, gives=[give])
    finally:
        board.close()
        server.shutdown()
        thread.join()
        server.server_close()
    assert events[0]["event"] == "recording"
    assert events[0]["word"] == "alexa"


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_loses_nothing_acknowledged(vault: Vault, kills: int):
    """kill -9 at a random moment, again and again; the vault must be whole each time."""
    rng = random.Random(kills)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([receive_for_ever.__module__])
    board = BoardServer(make=lambda number: sound_world.recording(number, hops=5), pause=0.0005)
    try:
        for _ in range(kills):
            before = len(board.acknowledged)
            process = context.Process(
                target=receive_for_ever, args=(str(vault.folder.path), board.url)
            )
            process.start()
            # Once it works: killed between any two steps of what it does.
            while len(board.acknowledged) == before and process.is_alive():
                assert board.serving
                time.sleep(0.01)
            time.sleep(rng.random() * 0.1)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            assert process.exitcode == -signal.SIGKILL
            with upkeep.locked(vault):
                upkeep.recover(vault)
            assert {row.number for row, _ in vault.list()} >= board.acknowledged
        assert upkeep.verify(vault).ok
    finally:
        board.close()
    assert len(board.acknowledged) >= kills
    for row, _ in vault.list():
        np.testing.assert_array_equal(vault.samples(row), sound_world.sound(row.number, 5))


def test_what_waits_for_a_slow_disk_is_not_late(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    """Time is the port's: a recording that came in time is whole, however long it then waits."""
    monkeypatch.setattr(receiver, "_STALLED_S", 0.5)
    store = vault.store

    def slowly(new: NewRecording) -> str:
        time.sleep(0.7)
        return store(new)

    monkeypatch.setattr(vault, "store", slowly)
    board = BoardServer()
    try:
        notices = _listen_until(vault, board, 4)
    finally:
        board.close()
    stored = [notice for notice in notices if isinstance(notice, Stored)]
    assert len(stored) >= 4
    assert all(one.recording and one.recording.complete for one in stored)


def test_retention_runs_by_itself(vault: Vault):
    kept, old = (vault.store(vault_world.recording(number)) for number in (1001, 1002))
    with vault.session() as session, session.begin():
        session.get_one(Recording, old).delete_after = datetime.now(UTC) - timedelta(minutes=1)
    board = BoardServer()
    try:
        notices = _listen_until(vault, board, 1)
    finally:
        board.close()
    assert "1 recordings reached their retention: deleted" in [notice.text for notice in notices]
    ids = {row.id for row, _ in vault.list()}
    assert kept in ids
    assert old not in ids
    assert not vault.blobs.path(old).exists()

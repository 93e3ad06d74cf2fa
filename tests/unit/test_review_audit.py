"""The log: every kind of tampering is found, and nothing happens without its entry."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from bluering.cli import app
from bluering.errors import ExitCode
from bluering.review.audit import checkpoint
from bluering.review.audit.log import START, chain_hash
from bluering.review.audit.verify import Findings, verify
from bluering.review.auth import accounts, logins
from bluering.review.database import VERSION_TABLE
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError, ReviewError
from bluering.review.models import OWNER, AuditEntry
from bluering.review.models import Base as ReviewBase
from bluering.review.witness import put_on_record
from bluering.vault.models import Recording
from tests.unit import vault_world
from tests.unit.review_world import clock_of, fill, open_desk
from tests.unit.vault_world import PASSPHRASE
from tests.web.review_site import PASSWORD, join

_ENTRIES = 20
_EDITS = 1000


@pytest.fixture
def desk(database_url: str | None) -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder, database_url) as desk:
        yield desk


@pytest.fixture
def sqlite_desk() -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        yield desk


def _write_entries(desk: Desk) -> checkpoint.Checkpoint:
    """Entries before a checkpoint, and a few after it."""
    for number in range(_ENTRIES - 1):
        with desk.act() as act:
            act.log(f"reviewer-{number % 3}", "label", f"{number:032x}", noise="music")
    with desk.reading() as session:
        signed = checkpoint.sign(session, desk.seal, desk.clock())
    for _ in range(3):
        with desk.act() as act:
            act.log("owner-1", "policy", share=1000)
    return signed


def _check(desk: Desk, *signed: checkpoint.Checkpoint) -> Findings:
    with desk.reading() as session:
        return verify(session, list(signed))


def test_an_untouched_log_has_no_problems(desk: Desk):
    signed = _write_entries(desk)
    assert signed.size == _ENTRIES
    assert _check(desk, signed) == Findings(_ENTRIES + 3, [])


def test_the_tables_are_those_of_the_models(desk: Desk):
    def ours(thing, name, kind, reflected, compare_to):
        del thing, reflected, compare_to
        return kind != "table" or (name.startswith("review_") and name != VERSION_TABLE)

    with desk.vault.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": ours, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, ReviewBase.metadata) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE review_audit SET actor = 'x'", "DELETE FROM review_audit"]
)
def test_the_database_refuses_to_change_entries(desk: Desk, statement: str):
    with (
        desk.vault.engine.connect() as connection,
        pytest.raises(DatabaseError, match="the log only grows"),
    ):
        connection.execute(text(statement))


def test_no_act_without_its_entry(desk: Desk):
    [recording_id] = fill(desk, 1)
    with pytest.raises(RuntimeError), desk.act() as act:
        act.bury(act.session.get_one(Recording, recording_id), "owner-1", "owner")
        raise RuntimeError("the power is cut")
    assert desk.vault.find(recording_id).state == "stored"
    assert desk.vault.samples(desk.vault.find(recording_id)).size
    assert _check(desk).entries == 1


def test_deletions_outside_review_are_on_record(desk: Desk):
    ids = fill(desk, 2)
    put_on_record(desk.vault)
    desk.vault.delete(ids[:1], "retention")
    with desk.reading() as session:
        last = session.get_one(AuditEntry, 2)
    assert (last.action, last.subject, last.facts) == ("delete", ids[0], '{"why":"retention"}')
    with desk.vault.engine.begin() as connection:
        connection.execute(text("ALTER TABLE review_audit RENAME TO hidden"))
    with pytest.raises(DatabaseError):
        desk.vault.delete(ids[1:], "owner")
    with desk.vault.engine.begin() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO review_audit"))
    assert desk.vault.find(ids[1]).state == "stored"
    assert _check(desk).problems == []


def test_acts_of_many_threads_take_turns(desk: Desk):
    def write():
        for _ in range(10):
            with desk.act() as act:
                act.log("system", "try")

    threads = [Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _check(desk) == Findings(61, [])


def _allow_edits(connection: Connection) -> None:
    connection.execute(text("DROP TRIGGER review_keep_audit_update"))
    connection.execute(text("DROP TRIGGER review_keep_audit_delete"))


def _check_through(connection: Connection, signed: checkpoint.Checkpoint) -> Findings:
    with Session(connection, join_transaction_mode="rollback_only") as session:
        return verify(session, [signed])


def _rows(connection: Connection) -> list[dict]:
    found = connection.execute(text("SELECT * FROM review_audit ORDER BY seq")).mappings()
    return [dict(row) for row in found]


def _replace_all(connection: Connection, rows: list[dict]) -> None:
    connection.execute(text("DELETE FROM review_audit"))
    columns = list(rows[0])
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(
        text(f"INSERT INTO review_audit ({', '.join(columns)}) VALUES ({values})"), rows
    )
    last = rows[-1]
    connection.execute(
        text("UPDATE review_audit_head SET size = :seq, head = :hash"),
        {"seq": last["seq"], "hash": last["hash"]},
    )


def _chain_anew(rows: list[dict]) -> None:
    previous = START
    for seq, row in enumerate(rows, 1):
        row["seq"] = seq
        row["hash"] = previous = chain_hash(AuditEntry(**row), previous)


def _change_a_field(rng: random.Random, rows: list[dict]) -> None:
    row = rng.choice(rows[:_ENTRIES])
    name = rng.choice(["at", "actor", "action", "subject", "outcome", "facts", "hash"])
    value = row[name]
    place = rng.randrange(len(value) + 1)
    letter = rng.choice("0123456789abcdefXYZ{}\u00e9 \n")
    changed = rng.choice(
        [value[:place] + letter + value[place:], value[: max(0, place - 1)] + value[place:]]
    )
    row[name] = changed if changed != value else value + letter


def _remove(rng: random.Random, rows: list[dict]) -> None:
    del rows[rng.randrange(_ENTRIES)]


def _swap(rng: random.Random, rows: list[dict]) -> None:
    first, second = rng.sample(range(_ENTRIES), 2)
    rows[first]["seq"], rows[second]["seq"] = rows[second]["seq"], rows[first]["seq"]


def _insert(rng: random.Random, rows: list[dict]) -> None:
    place = rng.randrange(1, _ENTRIES - 1)
    rows.insert(place, rows[rng.randrange(_ENTRIES)].copy())
    for seq, row in enumerate(rows, 1):
        row["seq"] = seq


def _cut(rng: random.Random, rows: list[dict]) -> None:
    del rows[rng.randrange(1, _ENTRIES) :]


def _forge(edit):
    def forge(rng: random.Random, rows: list[dict]) -> None:
        edit(rng, rows)
        rows.sort(key=lambda row: row["seq"])
        _chain_anew(rows)

    return forge


# A forged new chain hides a change of a hash, and nothing else.
def _change_and_chain_anew(rng: random.Random, rows: list[dict]) -> None:
    row = rng.choice(rows[:_ENTRIES])
    row[rng.choice(["at", "actor", "action", "subject", "outcome", "facts"])] += "x"
    _chain_anew(rows)


_KINDS = [
    _change_a_field,
    _remove,
    _swap,
    _insert,
    _cut,
    _change_and_chain_anew,
    *map(_forge, (_remove, _swap, _insert, _cut)),
]


def test_each_of_a_thousand_edits_is_found(sqlite_desk: Desk):
    """The edits of someone who can write the whole database, but has no checkpoint's copy."""
    signed = _write_entries(sqlite_desk)
    rng = random.Random(6)
    with sqlite_desk.vault.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        _allow_edits(connection)
        original = _rows(connection)
        for number in range(_EDITS):
            rows = [row.copy() for row in original]
            edit = _KINDS[number % len(_KINDS)]
            edit(rng, rows)
            _replace_all(connection, rows)
            assert _check_through(connection, signed).problems, (number, edit)
        _replace_all(connection, original)
        assert _check_through(connection, signed).problems == []


def test_where_it_was_edited_is_said(sqlite_desk: Desk):
    signed = _write_entries(sqlite_desk)
    with sqlite_desk.vault.engine.begin() as connection:
        _allow_edits(connection)
        connection.execute(text("UPDATE review_audit SET actor = 'x' WHERE seq = 7"))
    [problem] = _check(sqlite_desk, signed).problems
    assert problem.startswith("entry 7 was altered")


def test_a_cut_off_end_is_found(sqlite_desk: Desk):
    signed = _write_entries(sqlite_desk)
    with sqlite_desk.vault.engine.begin() as connection:
        _allow_edits(connection)
        rows = _rows(connection)[:15]
        _replace_all(connection, rows)
    [problem] = _check(sqlite_desk, signed).problems
    assert "cut off after entry 15" in problem
    assert _check(sqlite_desk).problems == []  # why checkpoints are needed


def test_checkpoints_that_are_not_genuine_are_found(sqlite_desk: Desk):
    signed = _write_entries(sqlite_desk)
    [problem] = _check(sqlite_desk, replace(signed, size=signed.size - 1)).problems[-1:]
    assert "altered" in problem
    with vault_world.memory_folder() as folder, open_desk(folder) as other:
        strange = _write_entries(other)
    assert any("another log's" in text for text in _check(sqlite_desk, strange).problems)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BLUERING_PASSPHRASE", PASSPHRASE)
    run = CliRunner().invoke
    with open_desk(tmp_path) as desk:
        _write_entries(desk)
        place = ["--vault", str(desk.vault.folder.path)]
        file = str(tmp_path / "elsewhere.json")
        assert run(app, ["audit", "checkpoint", file, *place]).exit_code == 0
        again = run(app, ["audit", "checkpoint", file, *place])
        assert isinstance(again.exception, ReviewError)
        monkeypatch.delenv("BLUERING_PASSPHRASE")
        check = ["audit", "verify", "--checkpoint", file, *place]
        assert run(app, check).exit_code == 0
        key = json.loads(Path(file).read_text())["public_key"]
        assert run(app, [*check, "--key", key]).exit_code == 0
        assert run(app, [*check, "--key", "00" * 32]).exit_code == ExitCode.TAMPERED
        with desk.vault.engine.begin() as connection:
            _allow_edits(connection)
            connection.execute(text("DELETE FROM review_audit WHERE seq = 9"))
        answer = run(app, check)
        assert answer.exit_code == ExitCode.TAMPERED
        assert "entry 9 is missing" in answer.stdout


def test_who_has_the_vault_can_let_a_locked_out_owner_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BLUERING_PASSPHRASE", PASSPHRASE)
    run = CliRunner().invoke
    with open_desk(tmp_path) as desk:
        person = join(desk, "olga", OWNER)
        place = ["--vault", str(desk.vault.folder.path)]
        assert isinstance(run(app, ["review", "reset", "nobody", *place]).exception, RefusedError)
        assert logins.find(desk, person.token)
        answer = run(app, ["review", "reset", "Olga", *place])
        assert logins.find(desk, person.token) is None
        invitation = answer.stdout.split()[-1]
        clock_of(desk).now = datetime.now(UTC)
        assert accounts.accept(desk, invitation, PASSWORD, "192.0.2.1")
        with desk.reading() as session:
            made = session.scalars(select(AuditEntry).filter_by(action="reset")).one()
        assert (made.actor, made.subject) == ("console", person.pseudonym)


def test_a_broken_checkpoint_file_is_refused(tmp_path: Path):
    broken = tmp_path / "c.json"
    broken.write_text('{"size": 3}')
    with pytest.raises(ReviewError, match="is no checkpoint"):
        checkpoint.read(broken)

"""A backup brings review back: accounts, labels, rules, a log that old checkpoints still fit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from bluering.review import assignments, labels
from bluering.review.audit import checkpoint
from bluering.review.audit.verify import verify
from bluering.review.auth import logins, signin
from bluering.review.backup import REVIEW
from bluering.review.desk import Desk
from bluering.review.labels import REAL, Answer
from bluering.review.models import REVIEWER, AuditEntry, Clip, Label, Login
from bluering.review.owner import grant
from bluering.review.sampling import DRAWN, policy_of
from bluering.review.witness import put_on_record
from bluering.vault import upkeep
from bluering.vault.backup import backup, restore
from bluering.vault.errors import VaultError
from bluering.vault.vault import Vault
from tests.unit import vault_world
from tests.unit.review_world import fill, open_desk
from tests.web.review_site import PASSWORD, Person, allow_review, join

_OTHER = "another passphrase for the backup"
_SAID = "what was said"


@pytest.fixture
def desk(database_url: str | None) -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder, database_url) as desk:
        fill(desk, 200)
        allow_review(desk)
        put_on_record(desk.vault)
        yield desk


def _label_one(desk: Desk, person: Person) -> str:
    visitor = logins.find(desk, person.token)
    assert visitor is not None
    with desk.act() as act:
        work = assignments.next_work(act, visitor)
        assert isinstance(work, assignments.Work)
        labels.label(act, visitor, work.clip.id, Answer(REAL, "", "music", _SAID))
        grant(act, "owner", work.recording.id, granted=True)
    return work.recording.id


def _restored(file: Path, folder: Path) -> Vault:
    return restore(file, folder, _OTHER, companions=[REVIEW])


def test_everything_of_review_comes_back(desk: Desk, tmp_path: Path):
    person = join(desk, "rita", REVIEWER)
    recording_id = _label_one(desk, person)
    with desk.reading() as session:
        before = checkpoint.sign(session, desk.seal, desk.clock())
    assert backup(desk.vault, tmp_path / "b.tar", _OTHER, [REVIEW]) == 200
    vault = _restored(tmp_path / "b.tar", tmp_path / "copy")
    assert upkeep.verify(vault).ok
    copy = Desk(vault, desk.clock)
    with copy.reading() as session:
        assert verify(session, [before]).problems == []
        [kept] = session.scalars(select(Label))
        place = labels.transcript_place(session.scalars(select(Clip)).one())
        assert copy.seal.open(kept.transcript, place) == _SAID.encode()
        ends = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq.desc()).limit(2))
        assert list(ends) == ["restore", "backup"]
        assert (
            session.execute(
                text("SELECT count FROM review_tallies WHERE name = :name"), {"name": DRAWN}
            ).scalar()
            == 1
        )
    person.desk = copy
    signin.sign_in(copy, "rita", PASSWORD, person.code(), "192.0.2.1")
    vault.delete([recording_id], "owner")
    with copy.reading() as session:
        assert session.scalars(select(func.count()).select_from(Label)).one() == 0
    with pytest.raises(DatabaseError, match="only grows"), vault.engine.begin() as connection:
        connection.execute(text("DELETE FROM review_audit"))
    vault.close()


def test_nobody_is_signed_in_and_nothing_reviewed_after_a_restore(desk: Desk, tmp_path: Path):
    person = join(desk, "rita", REVIEWER)
    backup(desk.vault, tmp_path / "b.tar", _OTHER, [REVIEW])
    vault = _restored(tmp_path / "b.tar", tmp_path / "copy")
    copy = Desk(vault, desk.clock)
    assert logins.find(desk, person.token) is not None
    assert logins.find(copy, person.token) is None
    with copy.reading() as session:
        assert session.scalars(select(func.count()).select_from(Login)).one() == 0
        assert policy_of(session).open is False
    vault.close()


def test_a_vault_without_review_stays_without(tmp_path: Path):
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", _OTHER)
        vault.store(vault_world.recording())
        assert backup(vault, tmp_path / "b.tar", _OTHER, [REVIEW]) == 1
        copy = _restored(tmp_path / "b.tar", tmp_path / "copy")
        assert not REVIEW.is_there(copy.engine)
        vault.close()
        copy.close()


def test_tables_that_nobody_knows_are_not_dropped_silently(desk: Desk, tmp_path: Path):
    backup(desk.vault, tmp_path / "b.tar", _OTHER, [REVIEW])
    with pytest.raises(VaultError, match="review_accounts"):
        restore(tmp_path / "b.tar", tmp_path / "copy", _OTHER)
    assert not (tmp_path / "copy").exists()

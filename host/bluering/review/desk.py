"""Where all acts happen: one transaction each, with its entries in the log, or not at all."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from bluering.review import database
from bluering.review.audit import checkpoint, log
from bluering.review.audit.verify import BEGINNING
from bluering.review.errors import ReviewError
from bluering.review.models import AuditHead, Policy, Tally
from bluering.review.sealing import Seal
from bluering.vault.models import Recording
from bluering.vault.vault import Vault

DRAWN, ELIGIBLE_GONE = "drawn", "eligible gone"
_DEFAULTS = {"open": False, "share": 2000, "hourly_cap": 60, "second_share": 20, "disguise": False}

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The clock on the wall."""
    return datetime.now(UTC)


class Act:
    """One transaction; whoever has it is alone at the desk."""

    def __init__(self, session: Session, now: datetime, seal: Seal) -> None:
        self.session = session
        self.now = now
        self.seal = seal
        self.buried: list[str] = []

    def log(
        self, actor: str, action: str, subject: str = "", outcome: str = "ok", **facts: Any
    ) -> None:
        """Put on record what this act does."""
        log.append(self.session, self.now, actor, action, subject, outcome, **facts)

    def bury(self, recording: Recording, actor: str, why: str) -> None:
        """Delete a recording, with its clip, labels and grant; its file goes after the commit."""
        recording.bury(why, self.now)
        self.log(actor, "delete", recording.id, why=why)
        self.session.expire_all()  # a trigger has deleted rows
        self.buried.append(recording.id)

    def count(self, name: str) -> None:
        """Add one to a tally."""
        adding = update(Tally).where(Tally.name == name).values(count=Tally.count + 1)
        if not self.session.execute(adding).rowcount:  # type: ignore[attr-defined]
            self.session.add(Tally(name=name, count=1))
            self.session.flush()


class Desk:
    """A vault that is prepared for review. Safe to use from several threads."""

    def __init__(self, vault: Vault, clock: Clock = utc_now) -> None:
        database.require_prepared(vault.engine)
        database.upgrade(vault.engine)
        self.vault = vault
        self.seal = Seal(vault.folder.key)
        self.clock = clock

    @classmethod
    def prepare(cls, vault: Vault, clock: Clock = utc_now) -> "Desk":
        """Make the tables, the rules (nothing is reviewed yet) and the beginning of the log."""
        if database.is_prepared(vault.engine):
            raise ReviewError("this vault is prepared for review already")
        database.upgrade(vault.engine)
        seal = Seal(vault.folder.key)
        sealed, public_key = checkpoint.new_key(seal)
        with Session(vault.engine) as session, session.begin():
            session.add(AuditHead(id=1, size=0, head=log.START, signing_key=sealed))
            session.add(Policy(id=1, **_DEFAULTS))
            session.add_all(Tally(name=name, count=0) for name in (DRAWN, ELIGIBLE_GONE))
            session.flush()
            log.append(session, clock(), log.SYSTEM, BEGINNING, public_key=public_key)
        return cls(vault, clock)

    @contextmanager
    def act(self) -> Iterator[Act]:
        """Do something: it and its entries are committed together when the block ends."""
        with self.reading() as session, session.begin():
            log.lock(session)
            act = Act(session, self.clock(), self.seal)
            yield act
        for recording_id in act.buried:
            self.vault.blobs.delete(recording_id)

    def reading(self) -> Session:
        """A session to read with; objects stay readable after it."""
        return Session(self.vault.engine, expire_on_commit=False)


def new_id() -> str:
    """128 random bits, hexadecimal."""
    return secrets.token_hex(16)

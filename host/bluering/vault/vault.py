"""The vault: every recording that was ever received, kept and deleted as the owner said."""

import json
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bluering.vault import folder as folders
from bluering.vault import sound
from bluering.vault.blobs import Blobs
from bluering.vault.database import connect
from bluering.vault.errors import ReplayError, VaultError
from bluering.vault.masterkey import Ask
from bluering.vault.models import DELETED, PENDING, STORED, Recording, Wake


class Witness(Protocol):
    """Puts an act on record, in the session's transaction: if it fails, the act doesn't happen."""

    def __call__(self, session: Session, action: str, recording_id: str, why: str) -> None:
        """``recording_id`` is empty where the act is about all recordings."""


FALSE_WAKE = "false wake"
"""Why a recording was deleted or never kept: its owner marked its wake as false."""
SECOND_LOOK = "second look"
"""Why a recording was never kept: the second look found no wake word."""
_FALSE_BY = {FALSE_WAKE: "owner", SECOND_LOOK: SECOND_LOOK}  # who says so of the wake

Gap = tuple[int, int]
"""First sample and number of samples of a piece that is missing; 0 samples: from there on nobody
knows how many, the end never came."""


@dataclass(frozen=True)
class NewWake:
    """A wake as a device told it; ``position`` is in samples since the session began."""

    session: str
    position: int
    word: str
    score: int
    cutoff: int
    model_sha256: str


@dataclass(frozen=True)
class NewRecording:
    """A recording as it was received, verified and decrypted; gaps are filled with silence.

    Of one whose beginning never came neither salt nor wake are known.
    """

    device: str
    boot: int
    number: int
    salt: str
    wake: NewWake | None
    samples: sound.Samples
    pre_roll: int
    codec: str
    complete: bool
    reason: str
    gaps: tuple[Gap, ...]
    review: bool
    retention_days: int


class Vault:
    """An open vault. Safe to use from several processes; from one thread at a time."""

    def __init__(self, folder: folders.Folder) -> None:
        self.folder = folder
        self.engine = connect(folder.url)
        self.blobs = Blobs(folder.blobs, folder.key)
        self.witness: Witness | None = None

    @classmethod
    def create(cls, path: Path, passphrase: str | None, database: str | None = None) -> "Vault":
        """Make a vault; without a passphrase its key goes to the system's keyring."""
        return cls(folders.create(path, passphrase, database))

    @classmethod
    def open(cls, path: Path, ask: Ask) -> "Vault":
        """Open a vault; ``ask`` is called if its key needs a passphrase."""
        return cls(folders.load(path, ask))

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def session(self) -> Session:
        """A session on the database; objects stay readable after it."""
        return Session(self.engine, expire_on_commit=False)

    def note(self, action: str, recording_id: str = "", why: str = "") -> None:
        """Put an access on record, before it happens, if there is a record to put it on."""
        if self.witness is not None:
            with self.session() as session, session.begin():
                self.witness(session, action, recording_id, why)

    def note_wake(self, wake: NewWake) -> str:
        """Keep a wake's reasons; returns its id, the same one when it is told again."""
        with suppress(IntegrityError), self.session() as session, session.begin():
            made = _row_of(wake)
            session.add(made)
            return made.id
        known = select(Wake.id).filter_by(session=wake.session, position=wake.position)
        with self.session() as session:
            return session.scalars(known).one()

    def store(self, new: NewRecording) -> str:
        """Keep a recording; when this returns its id, the recording survives a power cut.

        Raises ReplayError when it was stored before, even if it was deleted since, and OSError
        when the disk is full; then nothing is kept of it.
        """
        recording = self._describe(new, self.note_wake(new.wake) if new.wake else None)
        # Announced first: after a crash it is known whose the blob is, and it is cleared away.
        try:
            with self.session() as session, session.begin():
                session.add(recording)
        except IntegrityError:
            raise ReplayError(
                f"recording {new.number} of device {new.device} (start {new.boot}) was received "
                "before: it isn't stored again"
            ) from None
        try:
            flac = sound.to_flac(new.samples)
            wrapped_key = self.blobs.write(recording.id, flac, recording.facts())
        except BaseException:
            self.forget(recording.id)
            raise
        with self.session() as session, session.begin():
            stored = session.get_one(Recording, recording.id)
            stored.wrapped_key, stored.state = wrapped_key, STORED
        return recording.id

    def forget(self, recording_id: str) -> None:
        """Take back the announcement of a recording that could not be stored."""
        self.blobs.delete(recording_id)
        with self.session() as session, session.begin():
            recording = session.get(Recording, recording_id)
            if recording is not None and recording.state == PENDING:
                session.delete(recording)

    def list(self, tombstones: bool = False) -> list[tuple[Recording, Wake | None]]:
        """Every recording with its wake, the newest first; tombstones at the end."""
        states = (STORED, DELETED) if tombstones else (STORED,)
        query = (
            select(Recording, Wake)
            .join(Wake, Recording.wake_id == Wake.id, isouter=True)
            .where(Recording.state.in_(states))
            .order_by(Recording.state.desc(), Recording.received_at.desc(), Recording.id)
        )
        with self.session() as session:
            return [(row[0], row[1]) for row in session.execute(query)]

    def find(self, name: str) -> Recording:
        """A stored recording: by the first characters of its id, or "last", the newest."""
        query = select(Recording).where(Recording.state == STORED)
        query = query.order_by(Recording.received_at.desc())
        if name != "last":
            query = query.where(Recording.id.startswith(name.lower(), autoescape=True))
        with self.session() as session:
            found = session.scalars(query.limit(2)).all()
        if not found:
            raise VaultError(f"there is no recording '{name}'", "'bluering vault list' shows all")
        if len(found) > 1 and name != "last":
            raise VaultError(f"more than one recording's id begins with '{name}'")
        return found[0]

    def samples(self, recording: Recording) -> sound.Samples:
        """A stored recording's sound. Raises DamagedError."""
        assert recording.wrapped_key is not None
        data = self.blobs.read(recording.id, recording.wrapped_key, recording.facts())
        return sound.from_flac(data)

    def delete(self, ids: Iterable[str], why: str) -> int:
        """Really delete: the key is destroyed, the file is gone, a tombstone stays."""
        count = 0
        for recording_id in ids:
            with self.session() as session, session.begin():
                recording = session.get(Recording, recording_id)
                if recording is None or recording.state != STORED:
                    continue
                recording.bury(why, datetime.now(UTC))
                if self.witness is not None:
                    self.witness(session, "delete", recording.id, why)
            self.blobs.delete(recording_id)
            count += 1
        return count

    def purge(self, now: datetime | None = None, older_than_days: int | None = None) -> int:
        """Delete what has outlived its retention, or the given number of days."""
        now = now or datetime.now(UTC)
        expired = Recording.delete_after <= now
        if older_than_days is not None:
            expired |= Recording.received_at <= now - timedelta(days=older_than_days)
        query = select(Recording.id).where(Recording.state == STORED, expired)
        with self.session() as session:
            ids = session.scalars(query).all()
        return self.delete(ids, "retention")

    def mark_false(self, session_name: str, position: int, by: str) -> None:
        """A wake was wrong: it stays, marked."""
        query = select(Wake).filter_by(session=session_name, position=position)
        with self.session() as session, session.begin():
            for wake in session.scalars(query):
                wake.false_by = by

    def delete_false(self, device: str, boot: int, number: int) -> bool:
        """The device's owner marked a recording's wake as false: mark it, delete the sound."""
        query = select(Recording).filter_by(device=device, boot=boot, number=number)
        query = query.where(Recording.state == STORED)
        with self.session() as session, session.begin():
            recordings = session.scalars(query).all()
            for recording in recordings:
                wake = session.get(Wake, recording.wake_id) if recording.wake_id else None
                if wake is not None:
                    wake.false_by = "owner"
        return self.delete([recording.id for recording in recordings], FALSE_WAKE) > 0

    def turn_away(
        self, device: str, boot: int, number: int, salt: str, wake: NewWake | None, why: str
    ) -> None:
        """Keep nothing of a recording, and never take it: a tombstone of what was never here. Its
        wake is kept, and marked where it was a false one, or else neither.

        salt: hexadecimal; empty where its beginning never came.
        """
        tombstone = Recording(
            id=uuid.uuid4().hex, device=device, boot=boot, number=number, salt=salt
        )
        tombstone.bury(why, datetime.now(UTC))
        same = select(Recording.id).filter_by(device=device, boot=boot, number=number, salt=salt)
        with self.session() as session, session.begin():
            if wake:
                noted = _told_before(session, wake) or _row_of(wake)
                noted.false_by = _FALSE_BY.get(why, noted.false_by)
                session.add(noted)
                session.flush()
                tombstone.wake_id = noted.id
            if session.scalars(same).first() is None:
                session.add(tombstone)

    def knows(self, device: str, boot: int, number: int, salt: str | None = None) -> bool:
        """Whether this recording was received before, deleted or turned away since or not.

        salt: hexadecimal; None where it isn't known, any will do then. One that was marked as false
        before its beginning came is known by any salt; one that was lost whole is not: a device
        whose flash was erased counts its starts and recordings anew.
        """
        query = select(Recording.id).filter_by(device=device, boot=boot, number=number)
        if salt is not None:
            unseen = (Recording.salt == "") & (Recording.deleted_why == FALSE_WAKE)
            query = query.where((Recording.salt == salt) | unseen)
        with self.session() as session:
            return session.scalars(query).first() is not None

    def _describe(self, new: NewRecording, wake_id: str | None) -> Recording:
        now = datetime.now(UTC)
        return Recording(
            id=uuid.uuid4().hex,
            state=PENDING,
            device=new.device,
            boot=new.boot,
            number=new.number,
            salt=new.salt,
            wake_id=wake_id,
            received_at=now,
            delete_after=now + timedelta(days=new.retention_days),
            review=new.review,
            samples=len(new.samples),
            pre_roll=new.pre_roll,
            codec=new.codec,
            complete=new.complete,
            reason=new.reason,
            gaps=json.dumps(new.gaps),
        )


def _row_of(wake: NewWake) -> Wake:
    return Wake(
        id=uuid.uuid4().hex,
        session=wake.session,
        position=wake.position,
        heard_at=datetime.now(UTC),
        word=wake.word,
        score=wake.score,
        cutoff=wake.cutoff,
        model_sha256=wake.model_sha256,
    )


def _told_before(session: Session, wake: NewWake) -> Wake | None:
    same = select(Wake).filter_by(session=wake.session, position=wake.position)
    return session.scalars(same).first()

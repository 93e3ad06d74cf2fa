"""The vault's tables."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

PENDING, STORED, DELETED = "pending", "stored", "deleted"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no time zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database."""
        del dialect
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        del dialect
        return value and (
            value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        )


class Base(DeclarativeBase):
    """The tables' common base."""


class Wake(Base):
    """A wake and its reasons; stays when its recording is deleted."""

    __tablename__ = "wakes"
    __table_args__ = (UniqueConstraint("session", "position"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    session: Mapped[str] = mapped_column(String(32))
    """One start of one device: wakes of a session differ in their position."""
    position: Mapped[int] = mapped_column(BigInteger)
    """In samples since that start."""
    heard_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    word: Mapped[str] = mapped_column(String(255))
    score: Mapped[int]
    cutoff: Mapped[int]
    model_sha256: Mapped[str] = mapped_column(String(64))
    false_by: Mapped[str | None] = mapped_column(String(16), index=True)
    """Who found it wrong, if anybody did: "owner" or "second look"."""


class Recording(Base):
    """A recording, or the tombstone of one: then only who it was and why it went is left."""

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("device", "boot", "number", "salt"),
        Index("ix_recordings_state_received", "state", "received_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    device: Mapped[str] = mapped_column(String(16))
    boot: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    salt: Mapped[str] = mapped_column(String(32))
    wake_id: Mapped[str | None] = mapped_column(ForeignKey("wakes.id"), index=True)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delete_after: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    review: Mapped[bool] = mapped_column(default=False)
    """Whether the owner allows people to review it; can be withdrawn."""
    samples: Mapped[int | None]
    pre_roll: Mapped[int | None]
    codec: Mapped[str | None] = mapped_column(String(16))
    complete: Mapped[bool | None]
    reason: Mapped[str | None] = mapped_column(String(32))
    """Why it ended."""
    gaps: Mapped[str | None] = mapped_column(Text)
    """JSON: [first sample, number of samples] of each piece that is missing (see vault.Gap)."""
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_why: Mapped[str | None] = mapped_column(String(32))

    def facts(self) -> bytes:
        """What never changes while the recording lives, as canonical JSON; authenticated."""
        times = {
            name: moment and moment.isoformat()
            for name, moment in (("received", self.received_at), ("delete", self.delete_after))
        }
        return json.dumps(
            {
                "id": self.id,
                "device": [self.device, self.boot, self.number, self.salt],
                "sound": [self.samples, self.pre_roll, self.codec, self.complete, self.reason],
                "gaps": self.gaps,
                "wake": self.wake_id,
                **times,
            },
            sort_keys=True,
            separators=(",", ":"),
        ).encode()

    def bury(self, why: str, now: datetime) -> None:
        """Reduce the row to a tombstone: the key is gone, and with it the sound."""
        self.state, self.deleted_why, self.deleted_at = DELETED, why, now
        self.wrapped_key = self.samples = self.pre_roll = self.codec = self.complete = None
        self.reason = self.gaps = self.received_at = self.delete_after = None
        self.review = False

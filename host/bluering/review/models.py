"""Review's tables, beside the vault's in the same database.

They have a base of their own, because a vault that nobody reviews doesn't have them. Triggers in
the migration keep two promises whatever program writes: a deleted recording takes its clip, labels
and grant with it, and the log's entries are never changed.
"""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bluering.vault.models import Recording, UtcDateTime

OWNER, REVIEWER, AUDITOR = "owner", "reviewer", "auditor"
ROLES = (OWNER, REVIEWER, AUDITOR)

OPEN, DONE = "open", "done"
QUARANTINED, DISTRESS, SETTLED = "quarantined", "distress", "settled"
"""States of a clip; the last three are those of a flagged one, which is the owner's alone."""

HARD_CEILING = 10_000
"""Millionths of the recordings that may ever be reviewed: 1 %."""


class Base(DeclarativeBase):
    """The review tables' common base."""


class Account(Base):
    """A person; everybody but the owner knows them by their pseudonym."""

    __tablename__ = "review_accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    """Casefolded."""
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)
    role: Mapped[str] = mapped_column(String(8))
    active: Mapped[bool]
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed."""
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last time step whose code was used: none up to it is taken again."""
    invitation_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    invited_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RecoveryCode(Base):
    """An unused recovery code, as its SHA-256: it has 120 random bits."""

    __tablename__ = "review_recovery_codes"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("review_accounts.id"), index=True)


class Login(Base):
    """A browser that is signed in, by the SHA-256 of its cookie."""

    __tablename__ = "review_logins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("review_accounts.id"), index=True)
    enrolling: Mapped[bool]
    """Knows the invitation and the new password, but has shown no code yet."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fresh_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until then sensitive acts need no further code."""


class Attempts(Base):
    """Failed guesses of one account name or from one address."""

    __tablename__ = "review_attempts"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    failures: Mapped[int]
    refused: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    blocked_until: Mapped[datetime] = mapped_column(UtcDateTime)


class Policy(Base):
    """The owner's rules; one row."""

    __tablename__ = "review_policy"
    __table_args__ = (
        CheckConstraint(f"share BETWEEN 0 AND {HARD_CEILING}", "review_policy_share"),
        CheckConstraint("hourly_cap BETWEEN 0 AND 1000", "review_policy_cap"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    open: Mapped[bool]
    """Whether anything is reviewed at all."""
    share: Mapped[int]
    """Millionths of the recordings whose owner opted in."""
    hourly_cap: Mapped[int]
    """Clips that one reviewer is shown in an hour."""
    second_share: Mapped[int]
    """Percent of the clips that two people review."""
    disguise: Mapped[bool]
    """Whether voices are disguised."""


class Tally(Base):
    """A count that outlives what was counted."""

    __tablename__ = "review_tallies"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class Clip(Base):
    """A recording in the sample, under a random id that means nothing elsewhere."""

    __tablename__ = "review_clips"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey(Recording.id), unique=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    wanted: Mapped[int]
    """How many people are to review it."""
    drawn_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Assignment(Base):
    """A clip that a reviewer was given; without an outcome it is the one on their screen."""

    __tablename__ = "review_assignments"

    clip_id: Mapped[str] = mapped_column(ForeignKey("review_clips.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(
        ForeignKey("review_accounts.id"), primary_key=True, index=True
    )
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))


class Label(Base):
    """What a reviewer said about a clip."""

    __tablename__ = "review_labels"

    clip_id: Mapped[str] = mapped_column(ForeignKey("review_clips.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("review_accounts.id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(8))
    cause: Mapped[str] = mapped_column(String(40))
    noise: Mapped[str] = mapped_column(String(12))
    transcript: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FalseWake(Base):
    """A false wake that was found in review; its sound and its labels are gone."""

    __tablename__ = "review_false_wakes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    word: Mapped[str] = mapped_column(String(255))
    model_sha256: Mapped[str] = mapped_column(String(64))
    score: Mapped[int]
    cutoff: Mapped[int]
    cause: Mapped[str] = mapped_column(String(40))
    noise: Mapped[str] = mapped_column(String(12))


class Grant(Base):
    """The owner allows this recording's sound to leave with the exported labels."""

    __tablename__ = "review_grants"

    recording_id: Mapped[str] = mapped_column(ForeignKey(Recording.id), primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditHead(Base):
    """Where the log ends; one row, and the lock that acts take turns with."""

    __tablename__ = "review_audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str] = mapped_column(String(64))
    signing_key: Mapped[bytes] = mapped_column(LargeBinary)
    """The checkpoints' private key, sealed; the log's first entry has its public half."""


class AuditEntry(Base):
    """Who did what to what, when, and how it ended; never the content."""

    __tablename__ = "review_audit"
    __table_args__ = (Index("ix_review_audit_actor_action_at", "actor", "action", "at"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3... without a gap."""
    at: Mapped[str] = mapped_column(String(32))
    """UTC, ISO 8601 with microseconds, as text: it is hashed as it stands."""
    actor: Mapped[str] = mapped_column(String(32))
    """A pseudonym, "nobody" or "system"."""
    action: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    """A recording's id, a pseudonym, or empty."""
    outcome: Mapped[str] = mapped_column(String(16))
    facts: Mapped[str] = mapped_column(Text)
    """Canonical JSON."""
    hash: Mapped[str] = mapped_column(String(64))

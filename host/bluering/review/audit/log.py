"""Appends to the log and reads it.

Each entry's hash covers its own fields and the hash before it (SHA-256 over canonical JSON), so
that a changed, missing, added or moved entry breaks the chain where it happened.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bluering.review.models import AuditEntry, AuditHead

NOBODY, SYSTEM = "nobody", "system"
START = "0" * 64
"""What stands for the hash before the first entry."""


def canonical(value: Any) -> str:
    """JSON in the one way that it is hashed and stored."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chain_hash(entry: AuditEntry, previous: str) -> str:
    """The hash that ``entry`` must have after an entry with the hash ``previous``."""
    fields = {
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "facts": entry.facts,
        "previous": previous,
    }
    return hashlib.sha256(canonical(fields).encode()).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment as the log writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def lock(session: Session) -> None:
    """Wait for other acts to end; until this transaction ends, they wait for it."""
    session.execute(update(AuditHead).values(size=AuditHead.size))


def append(
    session: Session,
    moment: datetime,
    actor: str,
    action: str,
    subject: str = "",
    outcome: str = "ok",
    **facts: Any,
) -> AuditEntry:
    """Add an entry in the session's transaction: it is there if and only if the act is."""
    lock(session)
    size, head = session.execute(select(AuditHead.size, AuditHead.head)).one()
    entry = AuditEntry(
        seq=size + 1,
        at=stamp(moment),
        actor=actor,
        action=action,
        subject=subject,
        outcome=outcome,
        facts=canonical(facts),
    )
    entry.hash = chain_hash(entry, head)
    session.add(entry)
    session.flush()
    session.execute(update(AuditHead).values(size=entry.seq, head=entry.hash))
    return entry

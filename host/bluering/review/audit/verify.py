"""Finds out whether the log was tampered with, and where.

The chain alone shows a changed, missing, added or moved entry. Whoever can rewrite the whole
database could also make a new chain, or cut off the end: a checkpoint that was kept elsewhere
shows that too, for everything up to its size.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from bluering.review.audit.checkpoint import Checkpoint
from bluering.review.audit.log import START, chain_hash
from bluering.review.models import AuditEntry, AuditHead

BEGINNING = "log begun"
_BATCH = 2000


@dataclass
class Findings:
    """How many entries were read, and a sentence for each problem."""

    entries: int = 0
    problems: list[str] = field(default_factory=list)


def verify(
    session: Session, checkpoints: list[Checkpoint], public_key: str | None = None
) -> Findings:
    """Read the whole log; ``public_key`` (hexadecimal) is known from elsewhere, if given."""
    found = Findings()
    wanted = {checkpoint.size: checkpoint.head for checkpoint in checkpoints}
    previous, key = START, public_key
    for entry in _entries(session):
        found.entries += 1
        if entry.seq != found.entries:
            found.problems.append(f"entry {found.entries} is missing: entry {entry.seq} is there")
            return found
        if entry.hash != chain_hash(entry, previous):
            found.problems.append(f"entry {entry.seq} was altered, or the one before it")
            return found
        if entry.seq == 1:
            key = key or _key_of(entry)
        if wanted.get(entry.seq, entry.hash) != entry.hash:
            found.problems.append(f"entry {entry.seq} or one before it isn't what was signed")
        previous = entry.hash
    _check_end(session, found, previous)
    _check_signed(checkpoints, found, key)
    return found


def _check_end(session: Session, found: Findings, last: str) -> None:
    head = session.scalars(select(AuditHead)).one_or_none()
    if head is None or (head.size, head.head) != (found.entries, last):
        known = "unknown" if head is None else head.size
        found.problems.append(
            f"the log ends after entry {found.entries}, but it should have {known} entries"
        )


def _check_signed(checkpoints: list[Checkpoint], found: Findings, key: str | None) -> None:
    for checkpoint in checkpoints:
        if not checkpoint.is_genuine():
            found.problems.append(f"the checkpoint of {checkpoint.at} was altered")
        elif checkpoint.public_key != key:
            found.problems.append(f"the checkpoint of {checkpoint.at} is another log's")
        if checkpoint.size > found.entries:
            found.problems.append(
                f"the log is cut off after entry {found.entries}: "
                f"it had {checkpoint.size} entries on {checkpoint.at}"
            )


def _key_of(first: AuditEntry) -> str | None:
    try:
        return json.loads(first.facts).get("public_key")
    except (ValueError, AttributeError):
        return None


def _entries(session: Session) -> Iterator[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.seq).execution_options(yield_per=_BATCH)
    return iter(session.scalars(query))

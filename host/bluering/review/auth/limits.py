"""Limits on guessing: after a few failures each further one doubles the wait.

Failures are counted by account name (whether or not there is such an account) and by address. A
guess that comes too early isn't looked at, so it costs nothing and tells nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete

from bluering.review.audit.log import NOBODY
from bluering.review.desk import Act
from bluering.review.models import Attempts

_FIRST_WAIT = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """What is counted, and how many failures cost nothing."""

    key: str
    free: int


def of_name(name: str) -> Limit:
    """For guesses at one account; the name itself is not stored."""
    return Limit("name " + hashlib.sha256(name.casefold().encode()).hexdigest(), free=5)


def of_address(address: str) -> Limit:
    """For guesses from one address; many people may share it."""
    return Limit("from " + hashlib.sha256(address.encode()).hexdigest(), free=25)


def reserve(act: Act, limits: list[Limit], **facts: Any) -> int | None:
    """Count a guess as failed before it is looked at; None: it comes too early.

    Returns how many guesses were refused since the last one that was looked at. The first one that
    is refused is put on the log with ``facts``; an entry for each would let anybody fill the disk.
    """
    act.session.execute(delete(Attempts).where(Attempts.last_at < act.now - _FORGOTTEN_AFTER))
    rows = [_row(act, limit) for limit in limits]
    if any(row.blocked_until > act.now for row in rows):
        if not any(row.refused for row in rows):
            act.log(NOBODY, "guess too early", outcome="refused", **facts)
        for row in rows:
            row.refused += 1
        return None
    refused = max(row.refused for row in rows)
    for row, limit in zip(rows, limits, strict=True):
        row.failures, row.refused, row.last_at = row.failures + 1, 0, act.now
        row.blocked_until = act.now + _wait(row.failures - limit.free)
    return refused


def spare(act: Act, limits: list[Limit]) -> None:
    """The guess was right: it doesn't count, but those before it do."""
    for limit in limits:
        row = _row(act, limit)
        row.failures = max(0, row.failures - 1)
        row.blocked_until = act.now + _wait(row.failures - limit.free)


def forgive(act: Act, limits: list[Limit]) -> None:
    """The guess was right after all: these count from zero again."""
    keys = [limit.key for limit in limits]
    act.session.execute(delete(Attempts).where(Attempts.key.in_(keys)))


def _wait(excess: int) -> timedelta:
    if excess < 0:
        return timedelta(0)
    return min(_FIRST_WAIT * 2 ** min(excess, 10), _LONGEST_WAIT)


def _row(act: Act, limit: Limit) -> Attempts:
    row = act.session.get(Attempts, limit.key)
    if row is None:
        row = Attempts(key=limit.key, failures=0, refused=0, last_at=act.now, blocked_until=act.now)
        act.session.add(row)
    return row

"""The owner's view: every recording and every access to it; consent, deletion, grants, rules."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from bluering.review.desk import Act
from bluering.review.errors import RefusedError
from bluering.review.models import (
    DISTRESS,
    HARD_CEILING,
    QUARANTINED,
    SETTLED,
    AuditEntry,
    Clip,
    FalseWake,
    Grant,
    Label,
)
from bluering.review.sampling import eligible, policy_of
from bluering.vault.models import STORED, Recording, Wake

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """A recording as the owner's table shows it."""

    recording: Recording
    wake: Wake | None
    clip: Clip | None


@dataclass(frozen=True)
class Access:
    """What somebody did with a recording: ``at`` as the log has it, ``actor`` a pseudonym."""

    at: str
    actor: str
    action: str
    why: str
    outcome: str


@dataclass(frozen=True)
class Overview:
    """What the owner should see first."""

    distress: list[str]
    quarantined: list[str]
    causes: list[tuple[str, int]]


def overview(session: Session) -> Overview:
    """Recordings that wait for the owner, by id, and the false wakes by cause."""

    def flagged(state: str) -> list[str]:
        query = select(Clip.recording_id).where(Clip.state == state).order_by(Clip.drawn_at)
        return list(session.scalars(query))

    count = func.count().label("count")
    causes = select(FalseWake.cause, count).group_by(FalseWake.cause).order_by(count.desc())
    return Overview(
        flagged(DISTRESS),
        flagged(QUARANTINED),
        [(cause, number) for cause, number in session.execute(causes.limit(20))],
    )


def recordings(session: Session, before: str | None) -> list[Entry]:
    """A page of stored recordings, the newest first; ``before``: the last one's id."""
    query = (
        select(Recording, Wake, Clip)
        .join(Wake, Recording.wake_id == Wake.id, isouter=True)
        .join(Clip, Clip.recording_id == Recording.id, isouter=True)
        .where(Recording.state == STORED)
        .order_by(Recording.received_at.desc(), Recording.id.desc())
        .limit(PAGE)
    )
    last = session.get(Recording, before) if before else None
    if last is not None and last.received_at is not None:
        place = tuple_(Recording.received_at, Recording.id)
        query = query.where(place < tuple_(last.received_at, last.id))
    return [Entry(*row) for row in session.execute(query)]


def entry(session: Session, recording_id: str) -> Entry:
    """One recording. Raises RefusedError."""
    recording = stored(session, recording_id)
    wake = session.get(Wake, recording.wake_id) if recording.wake_id else None
    clip = session.scalars(select(Clip).filter_by(recording_id=recording_id)).one_or_none()
    return Entry(recording, wake, clip)


def stored(session: Session, recording_id: str) -> Recording:
    """Raises RefusedError."""
    recording = session.get(Recording, recording_id)
    if recording is None or recording.state != STORED:
        raise RefusedError("There is no such recording, or it was deleted.")
    return recording


def accesses(session: Session, recording_id: str) -> list[Access]:
    """Everything that was ever done with a recording."""
    query = select(AuditEntry).filter_by(subject=recording_id).order_by(AuditEntry.seq)
    return [
        Access(row.at, row.actor, row.action, json.loads(row.facts).get("why", ""), row.outcome)
        for row in session.scalars(query)
    ]


def labels(session: Session, clip: Clip | None) -> list[Label]:
    """What reviewers said about it."""
    return [] if clip is None else list(session.scalars(select(Label).filter_by(clip_id=clip.id)))


def withdraw(act: Act, by: str, recording_id: str) -> None:
    """Take one recording out of review, at once and for good."""
    stored(act.session, recording_id).review = False
    act.log(by, "withdraw", recording_id)


def withdraw_all(act: Act, by: str) -> None:
    """Stop review and take every recording out of it."""
    act.session.execute(update(Recording).where(eligible()).values(review=False))
    policy_of(act.session).open = False
    act.log(by, "withdraw", "everything")


def settle(act: Act, by: str, recording_id: str) -> None:
    """The owner dealt with a flagged clip; nobody reviews it again. Raises RefusedError."""
    clip = entry(act.session, recording_id).clip
    if clip is None or clip.state not in (QUARANTINED, DISTRESS):
        raise RefusedError("Nobody flagged this recording, or it was dealt with already.")
    act.log(by, "settle", recording_id, why=clip.state)
    clip.state = SETTLED


def delete(act: Act, by: str, recording_id: str) -> None:
    """Really delete a recording and all that was made from it."""
    act.bury(stored(act.session, recording_id), by, "owner")


def grant(act: Act, by: str, recording_id: str, granted: bool) -> None:
    """Allow or forbid that its sound leaves with the labels."""
    stored(act.session, recording_id)
    row = act.session.get(Grant, recording_id)
    if granted and row is None:
        act.session.add(Grant(recording_id=recording_id, granted_at=act.now))
    if not granted and row is not None:
        act.session.delete(row)
    act.log(by, "grant sound" if granted else "take back grant", recording_id)


def set_policy(act: Act, by: str, **rules: Any) -> None:
    """Change the rules. Raises RefusedError when they are beyond their limits."""
    if not 0 <= rules["share"] <= HARD_CEILING:
        raise RefusedError("The share can't be more than 1 % of the recordings.")
    if not 0 <= rules["hourly_cap"] <= 1000 or not 0 <= rules["second_share"] <= 100:
        raise RefusedError("The cap goes up to 1,000 clips an hour, the second look up to 100 %.")
    policy = policy_of(act.session)
    before = {name: getattr(policy, name) for name in rules}
    for name, value in rules.items():
        setattr(policy, name, value)
    act.log(by, "change policy", before=before, after=rules)

"""Which clip a reviewer has on the screen: one at a time, up to the hourly cap.

How many they were given in the last hour is read from the log, which no deletion shortens.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bluering.review.audit.log import stamp
from bluering.review.auth.logins import Visitor
from bluering.review.desk import Act
from bluering.review.models import OPEN, Assignment, AuditEntry, Clip, Label
from bluering.review.sampling import draw, eligible, policy_of
from bluering.vault.models import Recording

ASSIGN, HEAR = "assign", "hear"
REVIEW = "review"
"""Why a reviewer does what they do."""
_CAP_WINDOW = timedelta(hours=1)
_GIVEN_UP_AFTER = timedelta(minutes=30)
EXPIRED = "expired"

CAP, EMPTY, CLOSED = "cap", "empty", "closed"
"""Why there is no clip: enough for this hour, none to review, review is off."""


@dataclass(frozen=True)
class Work:
    """A clip with its recording."""

    clip: Clip
    recording: Recording


def current(session: Session, account_id: str) -> Work | None:
    """The reviewer's clip, if they may still have it."""
    if not policy_of(session).open:
        return None
    query = (
        select(Clip, Recording)
        .join(Assignment, Assignment.clip_id == Clip.id)
        .join(Recording, Recording.id == Clip.recording_id)
        .where(Assignment.account_id == account_id, Assignment.outcome.is_(None))
        .where(Clip.state == OPEN, eligible())
    )
    row = session.execute(query.limit(1)).one_or_none()
    return Work(*row) if row else None


def held(session: Session, account_id: str, clip_id: str) -> Work | None:
    """The clip of this id, if it is the one on this reviewer's screen."""
    work = current(session, account_id)
    return work if work and work.clip.id == clip_id else None


def next_work(act: Act, visitor: Visitor) -> Work | str:
    """The reviewer's clip: the one they have, one that waits for a second look, or a new one."""
    if work := current(act.session, visitor.account_id):
        return work
    _give_up_old(act)
    policy = policy_of(act.session)
    if not policy.open:
        return CLOSED
    if shown_lately(act, visitor.pseudonym) >= policy.hourly_cap:
        act.log(visitor.pseudonym, ASSIGN, outcome="cap")
        return CAP
    waiting = _waiting(act, visitor.account_id)
    clip = waiting or draw(act)
    if clip is None:
        return EMPTY
    act.session.add(Assignment(clip_id=clip.id, account_id=visitor.account_id, assigned_at=act.now))
    act.session.flush()
    why = "another opinion or skipped" if waiting else "random sample"
    act.log(visitor.pseudonym, ASSIGN, clip.recording_id, why=why)
    return Work(clip, act.session.get_one(Recording, clip.recording_id))


def shown_lately(act: Act, pseudonym: str) -> int:
    """How many clips a reviewer was given in the last hour."""
    query = select(func.count()).where(
        AuditEntry.actor == pseudonym,
        AuditEntry.action == ASSIGN,
        AuditEntry.at > stamp(act.now - _CAP_WINDOW),
        AuditEntry.outcome == "ok",
    )
    return act.session.scalars(query).one()


def _waiting(act: Act, account_id: str) -> Clip | None:
    """A clip that wants more people than have, or had, it; never this one again."""
    busy = select(func.count()).where(Assignment.clip_id == Clip.id, Assignment.outcome.is_(None))
    labelled = select(func.count()).where(Label.clip_id == Clip.id)
    mine = select(Assignment.clip_id).where(Assignment.account_id == account_id)
    query = (
        select(Clip)
        .join(Recording)
        .where(Clip.state == OPEN, eligible(), Clip.id.not_in(mine))
        .where(busy.scalar_subquery() + labelled.scalar_subquery() < Clip.wanted)
        .order_by(Clip.id)
        .limit(1)
    )
    return act.session.scalars(query).one_or_none()


def _give_up_old(act: Act) -> None:
    """Who left in the middle no longer holds a clip up; it isn't given to them again."""
    query = select(Assignment).where(
        Assignment.outcome.is_(None), Assignment.assigned_at < act.now - _GIVEN_UP_AFTER
    )
    for assignment in act.session.scalars(query):
        assignment.outcome = EXPIRED

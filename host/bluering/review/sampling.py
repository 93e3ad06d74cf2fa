"""The sample: a bounded share of the recordings whose owner opted in, each as likely as any other.

The share is held twice. Of all recordings that could ever be reviewed, deleted ones included, at
most the share is ever drawn: deleting what was reviewed frees no place. And of those that are
there now, at most the share has been drawn: years without review save nothing up.
"""

import secrets

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bluering.review.desk import DRAWN, ELIGIBLE_GONE, Act, new_id
from bluering.review.models import OPEN, Clip, Policy, Tally
from bluering.vault.models import STORED, Recording

_MILLION = 1_000_000


def eligible() -> ColumnElement[bool]:
    """Stored, and the owner allows review."""
    return Recording.review & (Recording.state == STORED)


def policy_of(session: Session) -> Policy:
    """The owner's rules."""
    return session.scalars(select(Policy)).one()


def room(session: Session, share: int) -> int:
    """How many more may be drawn at a share given in millionths."""
    here = session.scalars(select(func.count()).select_from(Recording).where(eligible())).one()
    drawn_here = session.scalars(
        select(func.count()).select_from(Clip).join(Recording).where(eligible())
    ).one()
    ever = here + _tally(session, ELIGIBLE_GONE)
    return min(
        ever * share // _MILLION - _tally(session, DRAWN), here * share // _MILLION - drawn_here
    )


def pick(session: Session) -> str | None:
    """The id of an eligible recording that wasn't drawn, each with the same probability.

    The n-th of all for a random n; one that was drawn before is thrown back, which happens at
    most once in a hundred times because of the share's ceiling.
    """
    count = session.scalars(select(func.count()).select_from(Recording).where(eligible())).one()
    drawn = set(session.scalars(select(Clip.recording_id).join(Recording).where(eligible())))
    ids = select(Recording.id).where(eligible()).order_by(Recording.id)
    while count > len(drawn):
        found = session.scalars(ids.offset(secrets.randbelow(count)).limit(1)).one()
        if found not in drawn:
            return found
    return None


def draw(act: Act) -> Clip | None:
    """A new clip, if the share has room for one."""
    policy = policy_of(act.session)
    recording_id = pick(act.session) if room(act.session, policy.share) > 0 else None
    if recording_id is None:
        return None
    twice = secrets.randbelow(100) < policy.second_share
    clip = Clip(
        id=new_id(),
        recording_id=recording_id,
        state=OPEN,
        wanted=2 if twice else 1,
        drawn_at=act.now,
    )
    act.session.add(clip)
    act.count(DRAWN)
    act.log("system", "draw", recording_id)
    return clip


def _tally(session: Session, name: str) -> int:
    return session.scalars(select(Tally.count).filter_by(name=name)).one()

"""The sample: a bounded share of the recordings whose owner opted in, each as likely as any other.

The share is held twice. Of all recordings that could ever be reviewed, deleted ones included, at
most the share is ever drawn: deleting what was reviewed frees no place. And of those that are
there now, at most the share has been drawn: years without review save nothing up.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from bluering.review.desk import DRAWN, ELIGIBLE_GONE, Act, new_id
from bluering.review.models import OPEN, Clip, Policy, Tally
from bluering.vault.models import STORED, Recording

_MILLION = 1_000_000


def eligible() -> ColumnElement[bool]:
    """Stored, and the owner allows review."""
    return Recording.review & (Recording.state == STORED)


def _eligible_clip() -> ColumnElement[bool]:
    """A clip of such a recording; there are few clips, so each looks its recording up."""
    return exists().where(Recording.id == Clip.recording_id, eligible())


def policy_of(session: Session) -> Policy:
    """The owner's rules."""
    return session.scalars(select(Policy)).one()


@dataclass(frozen=True)
class Population:
    """The eligible recordings that are there: how many, and which of them were drawn."""

    count: int
    drawn: frozenset[str]


def population(session: Session) -> Population:
    """As it is now."""
    count = session.scalars(select(func.count()).select_from(Recording).where(eligible())).one()
    drawn = session.scalars(select(Clip.recording_id).where(_eligible_clip()))
    return Population(count, frozenset(drawn))


def room(session: Session, here: Population, share: int) -> int:
    """How many more may be drawn at a share given in millionths."""
    ever = here.count + _tally(session, ELIGIBLE_GONE)
    return min(
        ever * share // _MILLION - _tally(session, DRAWN),
        here.count * share // _MILLION - len(here.drawn),
    )


def picks(session: Session, here: Population) -> Iterator[str]:
    """Ids of eligible recordings that weren't drawn, each time all with the same probability.

    The n-th of all for a random n; one that was drawn before is thrown back, which happens at
    most once in a hundred times because of the share's ceiling.
    """
    while here.count > len(here.drawn):
        found = _nth(session, here.count, secrets.randbelow(here.count))
        if found not in here.drawn:
            yield found


def _nth(session: Session, count: int, number: int) -> str:
    """The database counts its way there: from whichever end is nearer."""
    from_end = count - 1 - number
    order = Recording.id.desc() if from_end < number else Recording.id
    ids = select(Recording.id).where(eligible()).order_by(order)
    return session.scalars(ids.offset(min(number, from_end)).limit(1)).one()


def draw(act: Act) -> Clip | None:
    """A new clip, if the share has room for one."""
    policy = policy_of(act.session)
    here = population(act.session)
    if room(act.session, here, policy.share) <= 0:
        return None
    recording_id = next(picks(act.session, here))
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
    act.log("system", "draw", recording_id, why="random sample")
    return clip


def _tally(session: Session, name: str) -> int:
    return session.scalars(select(Tally.count).filter_by(name=name)).one()

"""How far reviewers agree: Cohen's kappa (Educational and Psychological Measurement 20, 1960)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bluering.review.models import Tally

Pairs = dict[tuple[str, str], int]
"""How often the first and the second reviewer gave which verdicts."""


@dataclass(frozen=True)
class Agreement:
    """``kappa`` is 1 for full agreement, 0 for chance; None while it is undefined."""

    clips: int
    kappa: float | None


def agreement(session: Session) -> Agreement:
    """Over all clips that two people labelled."""
    counted = pairs(session)
    return Agreement(sum(counted.values()), kappa(counted))


def pairs(session: Session) -> Pairs:
    """The tallies of pairs; they outlive the clips."""
    rows = session.scalars(select(Tally).where(Tally.name.startswith("pair ")))
    found: Pairs = {}
    for row in rows:
        _, first, second = row.name.split(" ")
        found[first, second] = row.count
    return found


def kappa(counted: Pairs) -> float | None:
    """(observed - expected) / (1 - expected) agreement."""
    total = sum(counted.values())
    verdicts = {verdict for pair in counted for verdict in pair}
    if not total:
        return None
    observed = sum(n for (first, second), n in counted.items() if first == second) / total
    expected = sum(
        sum(n for (first, _), n in counted.items() if first == verdict)
        * sum(n for (_, second), n in counted.items() if second == verdict)
        for verdict in verdicts
    ) / (total * total)
    return None if expected == 1 else (observed - expected) / (1 - expected)

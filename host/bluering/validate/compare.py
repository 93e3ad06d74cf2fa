"""Which differences between two reports are real."""

import json
from dataclasses import asdict, dataclass

from bluering.validate import pairing
from bluering.validate.intervals import CONFIDENCE, holm, paired_p, rates_p, shares_p
from bluering.validate.report.schema import SHIPPED, ModelResult, OperatingPoint, Report


@dataclass(frozen=True)
class Difference:
    """One figure of both reports and how likely chance alone makes such a difference."""

    point: str
    what: str  # a condition, or false accepts of a kind
    unit: str  # "missed" or "per hour"
    first: float
    second: float
    test: str
    p: float  # of this test alone
    adjusted_p: float  # for all tests of the comparison at once

    @property
    def real(self) -> bool:
        """Whether chance alone makes it in less than 5 % of all such comparisons."""
        return self.adjusted_p < 1 - CONFIDENCE


@dataclass(frozen=True)
class Comparison:
    """The differences of one pair of models."""

    first: ModelResult
    second: ModelResult
    differences: list[Difference]


def compare(first: Report, second: Report) -> list[Comparison]:
    """Misses at every operating point and under every condition that both reports have, and false
    accepts of every kind at the manifest's cutoff.

    Misses of the same clips by McNemar's exact test, of others by Fisher's; false accepts in the
    same listening by the exact test of those that only one side has, in others by the conditional
    test of two Poisson rates. The p-values of a comparison are adjusted together (Holm).
    """
    return [
        Comparison(a, b, _adjusted(_differences(a, b)))
        for a, b in pairing.paired_models(first, second)
    ]


def say_p(p: float) -> str:
    """A p-value for people."""
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def as_records(comparisons: list[Comparison]) -> str:
    """As JSON: a list with, for each pair of models, their names and differences."""
    return json.dumps(
        [
            {
                "first": pair.first.name,
                "second": pair.second.name,
                "differences": [{**asdict(d), "real": d.real} for d in pair.differences],
            }
            for pair in comparisons
        ]
    )


def _differences(first: ModelResult, second: ModelResult) -> list[Difference]:
    found = []
    for ours in first.points:
        theirs = second.point(ours.name)
        if theirs and ours.cutoff is not None and theirs.cutoff is not None:
            found += _misses(first, second, ours, theirs)
            if ours.name == SHIPPED:  # elsewhere they are alike by choice of the cutoff
                found += _false_accepts(first, second, ours, theirs)
    return found


def _misses(
    first: ModelResult, second: ModelResult, ours: OperatingPoint, theirs: OperatingPoint
) -> list[Difference]:
    assert ours.cutoff is not None
    assert theirs.cutoff is not None
    found = []
    for a in ours.misses:
        b = theirs.condition(a.condition)
        if b is None:
            continue
        cutoffs = (ours.cutoff, theirs.cutoff)
        pairs = pairing.missed_clips(first, second, a.condition, cutoffs)
        if pairs:
            test, p = "McNemar", paired_p(pairs.only_first, pairs.only_second)
        else:
            test, p = "Fisher", shares_p(a.missed, a.clips, b.missed, b.clips)
        found.append(Difference(ours.name, a.condition, "missed", a.rate, b.rate, test, p, p))
    return found


def _false_accepts(
    first: ModelResult, second: ModelResult, ours: OperatingPoint, theirs: OperatingPoint
) -> list[Difference]:
    found = []
    for kind in [*(figures.kind for figures in ours.kinds), "all"]:
        a, b = ours.figures(kind), theirs.figures(kind)
        if a is None or b is None:
            continue
        pairs = None
        if pairing.same_listening(first, second, kind):
            pairs = pairing.false_accepts(ours, theirs, kind)
        if pairs:
            test, p = "paired", paired_p(pairs.only_first, pairs.only_second)
        else:
            test, p = "Poisson", rates_p(a.count, a.hours, b.count, b.hours)
        what = f"false accepts, {kind}"
        found.append(Difference(ours.name, what, "per hour", a.per_hour, b.per_hour, test, p, p))
    return found


def _adjusted(differences: list[Difference]) -> list[Difference]:
    adjusted = holm([difference.p for difference in differences])
    return [
        Difference(d.point, d.what, d.unit, d.first, d.second, d.test, d.p, p)
        for d, p in zip(differences, adjusted, strict=True)
    ]

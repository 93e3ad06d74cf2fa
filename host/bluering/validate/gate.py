"""Whether a new report may take the place of its baseline."""

from dataclasses import dataclass

from bluering.validate import pairing
from bluering.validate.intervals import (
    CONFIDENCE,
    paired_rise_p,
    rates_rise_p,
    shares_rise_p,
)
from bluering.validate.report.schema import (
    FalseAccepts,
    Misses,
    ModelResult,
    Report,
    ReportError,
)

RECALL_FALL = 0.01
FALSE_ACCEPT_RISE = 0.05  # per hour


@dataclass(frozen=True)
class Check:
    """One figure of both reports at the manifest's cutoff, and whether its change is allowed."""

    model: str
    what: str
    old: float
    new: float | None  # None: the new report didn't measure it
    worse_by: float
    limit: float
    p: float  # that chance alone makes it so much worse, one-sided
    failed: bool

    @property
    def watch(self) -> bool:
        """Beyond the limit, but no further than chance goes."""
        return not self.failed and _beyond(self.worse_by, self.limit)


def gate(new: Report, baseline: Report, strict: bool = False) -> list[Check]:
    """Every figure of the baseline at the cutoff of the manifest.

    A check fails when recall falls by more than 0.01, or false accepts rise by more than 0.05 per
    hour, and by more than chance explains (one-sided exact test at 95 %: paired where both
    reports heard the same recordings). Strict, the limits alone decide: right for recordings and
    scores that are the same every time. What the new report doesn't measure any more fails.
    """
    checks: list[Check] = []
    pairs = pairing.paired_models(baseline, new)
    lost = {model.name for model in baseline.models} - {old.name for old, _ in pairs}
    if lost:
        raise ReportError(f"the new report lacks the model(s) {', '.join(sorted(lost))}")
    for old_model, new_model in pairs:
        old = old_model.shipped
        checks += [_recall(old_model, new_model, misses, strict) for misses in old.misses]
        if old.overall:
            checks.append(_false_accepts(old_model, new_model, old.overall, strict))
    if not checks:
        raise ReportError("the baseline measured nothing that a new report could be held against")
    return checks


def _recall(old_model: ModelResult, new_model: ModelResult, old: Misses, strict: bool) -> Check:
    new = new_model.shipped.condition(old.condition)
    what = f"recall, {old.condition}"
    if new is None:
        return _lost(old_model, what, 1 - old.rate, RECALL_FALL)
    cutoffs = (old_model.cutoff, new_model.cutoff)
    pairs = pairing.missed_clips(old_model, new_model, old.condition, cutoffs)
    if pairs:
        p = paired_rise_p(pairs.only_first, pairs.only_second)
    else:
        p = shares_rise_p(old.missed, old.clips, new.missed, new.clips)
    worse_by = new.rate - old.rate
    failed = _failed(worse_by, RECALL_FALL, p, strict)
    return Check(old_model.name, what, 1 - old.rate, 1 - new.rate, worse_by, RECALL_FALL, p, failed)


def _false_accepts(
    old_model: ModelResult, new_model: ModelResult, old: FalseAccepts, strict: bool
) -> Check:
    new = new_model.shipped.overall
    what = "false accepts per hour"
    if new is None:
        return _lost(old_model, what, old.per_hour, FALSE_ACCEPT_RISE)
    pairs = None
    if pairing.same_listening(old_model, new_model, "all"):
        pairs = pairing.false_accepts(old_model.shipped, new_model.shipped, "all")
    if pairs:
        p = paired_rise_p(pairs.only_first, pairs.only_second)
    else:
        p = rates_rise_p(old.count, old.hours, new.count, new.hours)
    worse_by = new.per_hour - old.per_hour
    failed = _failed(worse_by, FALSE_ACCEPT_RISE, p, strict)
    return Check(
        old_model.name, what, old.per_hour, new.per_hour, worse_by, FALSE_ACCEPT_RISE, p, failed
    )


def _failed(worse_by: float, limit: float, p: float, strict: bool) -> bool:
    return _beyond(worse_by, limit) and (strict or p < 1 - CONFIDENCE)


def _beyond(worse_by: float, limit: float) -> bool:
    return worse_by > limit + 1e-9  # 0.04 - 0.03 is a little more than 0.01


def _lost(model: ModelResult, what: str, old: float, limit: float) -> Check:
    return Check(model.name, what, old, None, float("inf"), limit, 0.0, True)

"""Which results of two reports belong together, and what only one side of them saw."""

from dataclasses import dataclass

from bluering.validate.report.schema import (
    FalseAccept,
    ModelResult,
    OperatingPoint,
    Report,
    ReportError,
)
from ear.audio.format import HOPS_PER_SECOND
from ear.spotter.detector import REFRACTORY_HOPS

_SAME_SECONDS = REFRACTORY_HOPS / HOPS_PER_SECOND


@dataclass(frozen=True)
class Discordant:
    """Events that only the first and only the second side had."""

    only_first: int
    only_second: int


def paired_models(first: Report, second: Report) -> list[tuple[ModelResult, ModelResult]]:
    """By name; or the only one of each. ReportError when nothing belongs together."""
    names = {model.name: model for model in second.models}
    pairs = [(model, names[model.name]) for model in first.models if model.name in names]
    if not pairs and len(first.models) == len(second.models) == 1:
        pairs = [(first.models[0], second.models[0])]
    if not pairs:
        ours, theirs = (", ".join(m.name for m in r.models) for r in (first, second))
        raise ReportError(
            f"the reports have no model in common: {ours}; {theirs}. "
            "Only reports of one model each are paired whatever their names"
        )
    return pairs


def missed_clips(
    first: ModelResult, second: ModelResult, condition: str, cutoffs: tuple[int, int]
) -> Discordant | None:
    """Clips missed by one side only; None when the two didn't hear the same clips."""
    ours, theirs = (
        {clip.id: clip.scores[condition] for clip in model.clips if condition in clip.scores}
        for model in (first, second)
    )
    if not ours or ours.keys() != theirs.keys():
        return None
    missed = [(ours[id_] <= cutoffs[0], theirs[id_] <= cutoffs[1]) for id_ in ours]
    return Discordant(missed.count((True, False)), missed.count((False, True)))


def same_listening(first: ModelResult, second: ModelResult, kind: str) -> bool:
    """Whether both sides heard the same recordings of a kind ('all': of all kinds)."""
    ours, theirs = (
        {c.kind: c.listening for c in model.false_accept_curves if kind in ("all", c.kind)}
        for model in (first, second)
    )
    return ours == theirs


def false_accepts(first: OperatingPoint, second: OperatingPoint, kind: str) -> Discordant | None:
    """Wakes at a place where the other side has none within a second; None when the reports
    don't list all of them."""
    ours, theirs = _of_kind(first, kind), _of_kind(second, kind)
    if ours is None or theirs is None:
        return None
    places: dict[str, list[float]] = {}
    for accept in theirs:
        places.setdefault(accept.id, []).append(accept.seconds)
    shared = 0
    for accept in sorted(ours, key=lambda a: (a.id, a.seconds)):
        near = [s for s in places.get(accept.id, []) if abs(s - accept.seconds) <= _SAME_SECONDS]
        if near:
            places[accept.id].remove(min(near))
            shared += 1
    return Discordant(len(ours) - shared, len(theirs) - shared)


def _of_kind(point: OperatingPoint, kind: str) -> list[FalseAccept] | None:
    figures = point.figures(kind)
    listed = [accept for accept in point.false_accepts if kind in ("all", accept.kind)]
    return listed if figures and figures.count == len(listed) else None

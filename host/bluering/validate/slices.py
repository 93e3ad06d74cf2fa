"""Misses by slices of the clips: which speed, level or voice is heard worse than the others."""

import math
from collections.abc import Sequence

from bluering.validate.corpus import Slices
from bluering.validate.intervals import holm, shares_rise_p
from bluering.validate.report.schema import Misses, SliceMisses


def by_slice(clips: Sequence[tuple[Slices, bool]]) -> list[SliceMisses]:
    """From the slices of each clip and whether it was missed: slicings in order of appearance,
    the slices of one by their names, numbers by size.

    Each slice is held against the other clips that are sliced by the same (Fisher's exact test,
    one-sided); the p-values are adjusted together (Holm). A slice that has all of them can't
    be worse than the rest.
    """
    found: dict[tuple[str, str], list[bool]] = {}
    for slices, missed in clips:
        for key in slices:
            found.setdefault(key, []).append(missed)
    slicings = list(dict.fromkeys(by for by, _ in found))
    order = sorted(found, key=lambda key: (slicings.index(key[0]), _natural(key[1])))
    p_values = [_worse_p(found, key) for key in order]
    return [
        SliceMisses(
            by=key[0], value=key[1], clips=len(found[key]), missed=sum(found[key]), adjusted_p=p
        )
        for key, p in zip(order, holm(p_values), strict=True)
    ]


def _natural(value: str) -> tuple[float, str]:
    try:
        return float(value), value
    except ValueError:
        return math.inf, value


def worst_sentence(misses: Misses) -> str:
    """Names the worst slice under a condition, and says whether chance explains it."""
    worst = misses.worst
    if worst is None:
        return ""
    low, high = worst.interval
    verdict = "more than the rest by more than chance" if worst.real else "which could be chance"
    return (
        f"Worst under {misses.condition}: {worst.name}, {worst.missed} of {worst.clips} missed "
        f"({100 * low:.1f} to {100 * high:.1f} %), {verdict}."
    )


def _worse_p(found: dict[tuple[str, str], list[bool]], key: tuple[str, str]) -> float:
    rest = [m for other, each in found.items() if other[0] == key[0] and other != key for m in each]
    return shares_rise_p(sum(rest), len(rest), sum(found[key]), len(found[key])) if rest else 1.0

"""From probabilities to misses and false accepts at every cutoff, in one pass.

The device wakes when the sum of its last N outputs exceeds cutoff * N, all whole numbers. The
score of a step is the smallest whole number that its mean doesn't exceed, so a step wakes at
exactly those cutoffs that are below its score: one number says it for all 256 cutoffs.

Wakes less than a second after a step above the cutoff belong to it. So a step begins a new wake
at the cutoffs from the highest score of the second before it up to its own score, not included.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from bluering.validate.results import Trace
from ear.spotter.detector import REFRACTORY_HOPS

CUTOFFS = 256

Scores = NDArray[np.uint8]  # one per hop; 0 where no counted step ends
Counts = NDArray[np.int64]  # one per cutoff


def hop_scores(trace: Trace, window: int, hops: int) -> Scores:
    """The scores of the counted steps, at index h - 1 for a step that ends with hop h."""
    sums = np.cumsum(np.pad(trace.probabilities.astype(np.int64), (window, 0)))
    moving = sums[window:] - sums[:-window]  # outputs before the first one are 0
    scores = -(-moving // window)
    ends = trace.first_hop + trace.stride * np.arange(len(scores))
    counted = (ends > trace.count_from) & (ends <= hops)
    out = np.zeros(hops, np.uint8)
    out[ends[counted] - 1] = scores[counted]
    return out


def clip_score(scores: Scores) -> int:
    """A clip is detected at the cutoffs below this, 0..255."""
    return int(scores.max(initial=0))


def first_wake(scores: Scores, cutoff: int) -> int | None:
    """The hop with which a clip is detected; None when it is missed."""
    above = np.flatnonzero(scores > cutoff)
    return int(above[0]) + 1 if len(above) else None


def misses(clip_scores: list[int]) -> Counts:
    """How many clips are missed at each cutoff."""
    per_score = np.bincount(np.array(clip_scores, np.int64), minlength=CUTOFFS)
    return np.cumsum(per_score)


class WakeCounter:
    """Counts the wakes of one long listening at every cutoff at once; its stretches come in
    order, in pieces of any length."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(CUTOFFS, np.int64)
        self._second = _SecondBefore()

    def push(self, scores: Scores) -> None:
        before = self._second.before(scores)
        begin = scores > before
        changes = np.bincount(before[begin], minlength=CUTOFFS).astype(np.int64)
        changes -= np.bincount(scores[begin], minlength=CUTOFFS)
        self.counts += np.cumsum(changes)


@dataclass(frozen=True)
class Wake:
    """A wake at some cutoff: with which hop of the listening, and its highest score."""

    hop: int
    peak: int


class WakeFinder:
    """Finds the wakes of one long listening at one cutoff, the ones that WakeCounter counts."""

    def __init__(self, cutoff: int) -> None:
        self.found: list[Wake] = []
        self._cutoff = cutoff
        self._second = _SecondBefore()
        self._heard = 0

    def push(self, scores: Scores) -> None:
        before = self._second.before(scores)
        begins = np.flatnonzero((scores > self._cutoff) & (before <= self._cutoff))
        self._go_on(int(scores[: begins[0] if len(begins) else len(scores)].max(initial=0)))
        peaks = np.maximum.reduceat(scores, begins).tolist() if len(begins) else []
        hops = (begins + self._heard + 1).tolist()
        self.found += [Wake(hop, peak) for hop, peak in zip(hops, peaks, strict=True)]
        self._heard += len(scores)

    def _go_on(self, peak: int) -> None:
        """What comes before the first new wake may still belong to the last one."""
        if peak > self._cutoff:
            last = self.found[-1]
            self.found[-1] = Wake(last.hop, max(last.peak, peak))


class _SecondBefore:
    """For every hop the highest score of the hops less than a second before it."""

    def __init__(self) -> None:
        self._tail = np.zeros(REFRACTORY_HOPS - 1, np.uint8)

    def before(self, scores: Scores) -> Scores:
        span = len(self._tail)
        joined = np.concatenate([self._tail, scores])
        # origin: the window ends at the hop itself instead of being centred on it
        highest = maximum_filter1d(joined, span, mode="constant", origin=(span - 1) // 2)
        self._tail = joined[-span:]
        return np.asarray(highest[span - 1 : -1], np.uint8)


def lowest_cutoff(counts: Counts, hours: float, per_hour: float) -> int | None:
    """The lowest cutoff from which on false accepts stay at or below a rate; None when even the
    highest one that can wake has more."""
    too_many = np.flatnonzero(counts[: CUTOFFS - 1] > per_hour * hours)
    if not len(too_many):
        return 0
    cutoff = int(too_many[-1]) + 1
    return cutoff if cutoff < CUTOFFS - 1 else None

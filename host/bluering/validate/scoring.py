"""From probabilities to misses and false accepts at every cutoff, in one pass.

The device wakes when the sum of its last N outputs exceeds cutoff * N, all whole numbers. The
score of a step is the smallest whole number that its mean doesn't exceed, so a step wakes at
exactly those cutoffs that are below its score: one number says it for all 256 cutoffs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluering.validate.hear import Trace

CUTOFFS = 256
REFRACTORY_HOPS = 100  # one second: wakes within it are one

Scores = NDArray[np.uint8]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ScoredSteps:
    """The counted steps of a trace that could wake at some cutoff: where they end, in hops, and
    their scores, 1..255."""

    hops: NDArray[np.int64]
    scores: Scores


def sliding_scores(trace: Trace, window: int) -> Scores:
    """The score of every step; outputs before the first one are 0, as on the device."""
    sums = np.cumsum(np.pad(trace.probabilities.astype(np.int64), (window, 0)))
    moving = sums[window:] - sums[:-window]
    return (-(-moving // window)).astype(np.uint8)


def scored_steps(trace: Trace, window: int) -> ScoredSteps:
    """The counted steps with a score above 0."""
    scores = sliding_scores(trace, window)
    hops = trace.first_hop + trace.stride * np.arange(len(scores), dtype=np.int64)
    chosen = (hops > trace.count_from) & (scores > 0)
    return ScoredSteps(hops[chosen], scores[chosen])


def clip_score(steps: ScoredSteps) -> int:
    """A clip is detected at the cutoffs below this, 0..255."""
    return int(steps.scores.max(initial=0))


def first_wake(steps: ScoredSteps, cutoff: int) -> int | None:
    """The hop at which a clip is detected; None when it is missed."""
    woken = np.flatnonzero(steps.scores > cutoff)
    return int(steps.hops[woken[0]]) if len(woken) else None


def misses(clip_scores: list[int]) -> Counts:
    """How many clips are missed at each cutoff."""
    return np.array([sum(score <= cutoff for score in clip_scores) for cutoff in range(CUTOFFS)])


class EventCounter:
    """Counts the wakes of one long listening at every cutoff at once.

    After a wake the device is deaf for the refractory time, whatever the score does; each cutoff
    has its own such times. Steps come in order, in as many pushes as one likes.
    """

    def __init__(self, refractory_hops: int = REFRACTORY_HOPS) -> None:
        self.counts: Counts = np.zeros(CUTOFFS, np.int64)
        self._refractory = refractory_hops
        self._deaf_until: Counts = np.full(CUTOFFS, -(2**62), np.int64)

    def push(self, steps: ScoredSteps) -> None:
        """The next steps, in hops since the beginning of the listening."""
        for hop, score in zip(steps.hops.tolist(), steps.scores.tolist(), strict=True):
            wakes = self._deaf_until[:score] <= hop
            self.counts[:score] += wakes
            self._deaf_until[:score][wakes] = hop + self._refractory


@dataclass(frozen=True)
class Event:
    """A wake at some cutoff: when, and the highest score until it could wake again."""

    hop: int
    peak: int


class EventFinder:
    """The wakes of one long listening at one cutoff, as EventCounter counts them."""

    def __init__(self, cutoff: int, refractory_hops: int = REFRACTORY_HOPS) -> None:
        self.found: list[Event] = []
        self._cutoff = cutoff
        self._refractory = refractory_hops

    def push(self, steps: ScoredSteps) -> None:
        """The next steps, in hops since the beginning of the listening."""
        above = steps.scores > self._cutoff
        for hop, score in zip(
            steps.hops[above].tolist(), steps.scores[above].tolist(), strict=True
        ):
            last = self.found[-1] if self.found else None
            if last is None or hop >= last.hop + self._refractory:
                self.found.append(Event(hop, score))
            elif score > last.peak:
                self.found[-1] = Event(last.hop, score)


def lowest_cutoff(counts: Counts, hours: float, per_hour: float) -> int | None:
    """The lowest cutoff from which on false accepts stay at or below a rate; None when even the
    highest one that can wake has more."""
    too_many = np.flatnonzero(counts[: CUTOFFS - 1] > per_hour * hours)
    if not len(too_many):
        return 0
    cutoff = int(too_many[-1]) + 1
    return cutoff if cutoff < CUTOFFS - 1 else None

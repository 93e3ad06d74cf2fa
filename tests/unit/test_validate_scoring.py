"""One pass says for all 256 cutoffs what running the device at each of them would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluering.validate.hear import Trace
from bluering.validate.scoring import (
    CUTOFFS,
    EventCounter,
    EventFinder,
    ScoredSteps,
    clip_score,
    first_wake,
    lowest_cutoff,
    misses,
    scored_steps,
    sliding_scores,
)

STRIDE, WINDOW, REFRACTORY = 3, 5, 100

traces = st.lists(st.sampled_from([0, 0, 0, 1, 90, 128, 200, 254, 255]), max_size=400).map(
    lambda values: Trace(np.array(values, np.uint8), 5, STRIDE, 74)
)


def _device(trace: Trace, cutoff: int) -> list[int]:
    """The rule spelled out: at which hops the device wakes."""
    wakes: list[int] = []
    window = [0] * WINDOW
    for step, probability in enumerate(trace.probabilities.tolist()):
        window = [*window[1:], probability]
        hop = trace.first_hop + STRIDE * step
        rested = not wakes or hop >= wakes[-1] + REFRACTORY
        if hop > trace.count_from and rested and sum(window) > cutoff * WINDOW:
            wakes.append(hop)
    return wakes


@given(traces)
def test_the_counts_are_those_of_the_device_at_every_cutoff(trace: Trace) -> None:
    counter = EventCounter(REFRACTORY)
    counter.push(scored_steps(trace, WINDOW))
    assert counter.counts.tolist() == [len(_device(trace, c)) for c in range(CUTOFFS)]


@given(traces, st.integers(0, 254))
def test_the_events_are_those_of_the_device(trace: Trace, cutoff: int) -> None:
    steps = scored_steps(trace, WINDOW)
    finder = EventFinder(cutoff, REFRACTORY)
    finder.push(steps)
    assert [event.hop for event in finder.found] == _device(trace, cutoff)
    assert all(event.peak > cutoff for event in finder.found)
    assert first_wake(steps, cutoff) == next(iter(_device(trace, cutoff)), None)
    assert (clip_score(steps) > cutoff) == bool(_device(trace, cutoff))


@given(traces, st.lists(st.integers(0, 400), max_size=4))
def test_pieces_add_up_to_the_whole(trace: Trace, cuts: list[int]) -> None:
    steps = scored_steps(trace, WINDOW)
    whole, pieces = EventCounter(), EventCounter()
    whole.push(steps)
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), None], strict=True):
        pieces.push(ScoredSteps(steps.hops[begin:end], steps.scores[begin:end]))
    assert np.array_equal(whole.counts, pieces.counts)


def test_the_score_is_the_first_cutoff_that_stays_quiet() -> None:
    outputs = np.array([255, 255, 255, 255, 254, 255], np.uint8)
    scores = sliding_scores(Trace(outputs, 5, 3, 0), 5)
    # 1274 / 5 = 254.8: wakes at 254 (1274 > 1270), never at 255
    assert scores.tolist() == [51, 102, 153, 204, 255, 255]
    assert sliding_scores(Trace(np.full(9, 255, np.uint8), 5, 3, 0), 5)[-1] == 255


def test_misses_fall_off_at_each_score() -> None:
    missed = misses([0, 10, 10, 255])
    assert missed[0] == 1
    assert missed[9] == 1
    assert missed[10] == 3
    assert missed[254] == 3
    assert missed[255] == 4


@pytest.mark.parametrize(
    ("counts", "hours", "per_hour", "cutoff"),
    [
        ({0: 9, 100: 3, 200: 0}, 10.0, 0.1, 200),
        ({0: 9, 100: 1, 200: 0}, 10.0, 0.1, 100),
        ({0: 9, 100: 0, 150: 5, 160: 0}, 10.0, 0.1, 160),  # merging can make counts rise
        ({0: 9}, 10.0, 0.1, None),
        ({0: 0}, 10.0, 0.1, 0),
    ],
)
def test_the_operating_point_is_the_lowest_safe_cutoff(
    counts: dict[int, int], hours: float, per_hour: float, cutoff: int | None
) -> None:
    line = np.zeros(CUTOFFS, np.int64)
    for start, count in sorted(counts.items()):
        line[start:255] = count
    assert lowest_cutoff(line, hours, per_hour) == cutoff

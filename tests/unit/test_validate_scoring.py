"""One pass says for all 256 cutoffs what running the device at each of them would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluering.validate.results import Trace
from bluering.validate.scoring import (
    CUTOFFS,
    REFRACTORY_HOPS,
    Scores,
    WakeCounter,
    WakeFinder,
    clip_score,
    first_wake,
    hop_scores,
    lowest_cutoff,
    misses,
)
from ear.spotter.detector import Detector

STRIDE, WINDOW, FIRST = 3, 5, 5

outputs = st.lists(st.sampled_from([0, 0, 0, 1, 90, 128, 200, 254, 255]), max_size=400)
cuts = st.lists(st.integers(0, 1200), max_size=4).map(sorted)


def _trace(values: list[int], count_from: int = 74) -> Trace:
    return Trace(np.array(values, np.uint8), FIRST, STRIDE, count_from)


def _scores(values: list[int]) -> Scores:
    return hop_scores(_trace(values), WINDOW, max(0, FIRST + STRIDE * (len(values) - 1)))


def _wakes(values: list[int], cutoff: int) -> list[int]:
    """The rule spelled out: with which hops a wake begins."""
    begins: list[int] = []
    last_above = -REFRACTORY_HOPS
    window = [0] * WINDOW
    for step, probability in enumerate(values):
        window = [*window[1:], probability]
        hop = FIRST + STRIDE * step
        if hop > 74 and sum(window) > cutoff * WINDOW:
            if hop - last_above >= REFRACTORY_HOPS:
                begins.append(hop)
            last_above = hop
    return begins


@given(outputs)
def test_the_counts_are_those_of_every_cutoff_by_itself(values: list[int]) -> None:
    counter = WakeCounter()
    counter.push(_scores(values))
    assert counter.counts.tolist() == [len(_wakes(values, c)) for c in range(CUTOFFS)]


@given(outputs, st.integers(0, 254))
def test_the_wakes_are_where_they_should_be(values: list[int], cutoff: int) -> None:
    scores = _scores(values)
    finder = WakeFinder(cutoff)
    finder.push(scores)
    expected = _wakes(values, cutoff)
    assert [wake.hop for wake in finder.found] == expected
    assert max((wake.peak for wake in finder.found), default=0) == (
        clip_score(scores) if expected else 0
    )
    assert first_wake(scores, cutoff) == next(iter(expected), None)


@given(outputs, cuts, st.integers(0, 254))
def test_pieces_add_up_to_the_whole(values: list[int], cuts: list[int], cutoff: int) -> None:
    scores = _scores(values)
    counters, finders = (WakeCounter(), WakeCounter()), (WakeFinder(cutoff), WakeFinder(cutoff))
    counters[0].push(scores)
    finders[0].push(scores)
    for piece in np.split(scores, np.minimum(cuts, len(scores))):
        counters[1].push(piece)
        finders[1].push(piece)
    assert np.array_equal(counters[0].counts, counters[1].counts)
    assert finders[0].found == finders[1].found


@given(
    st.lists(st.tuples(st.integers(60, 120), st.integers(3, 30), st.integers(1, 255)), max_size=6),
    st.integers(1, 254),  # at 0 the device never cools off, and so never wakes
)
def test_separate_sounds_wake_the_device_as_often_as_counted(
    sounds: list[tuple[int, int, int]], cutoff: int
) -> None:
    """The firmware's own detector, over sounds with pauses of at least 1.8 s between them."""
    values = [v for pause, length, loud in sounds for v in [0] * pause + [loud] * length]
    detector = Detector(cutoff, WINDOW, STRIDE, REFRACTORY_HOPS)
    woke = [FIRST + STRIDE * i for i, value in enumerate(values) if detector.step(value)]
    finder = WakeFinder(cutoff)
    finder.push(_scores(values))
    assert [wake.hop for wake in finder.found] == woke


def test_the_score_is_the_first_cutoff_that_stays_quiet() -> None:
    values = [255, 255, 255, 255, 254, 255]
    scores = hop_scores(_trace(values, 0), WINDOW, 20)
    # 1274 / 5 = 254.8: wakes at 254 (1274 > 1270), never at 255
    assert scores[4::3].tolist() == [51, 102, 153, 204, 255, 255]
    assert np.count_nonzero(scores) == 6


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

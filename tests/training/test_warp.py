"""Warped tracks, and where their rows end up."""

import numpy as np

from bluering.training.augment.tracks import FRAMES
from bluering.training.augment.warp import Warp, warped
from bluering.training.fit.lessons import Lesson

COUNT = 24


def _marked(row: int, band: int) -> np.ndarray:
    rows = np.zeros((COUNT, FRAMES, 40), np.uint8)
    rows[:, row - 2 : row + 3, band - 2 : band + 3] = 200
    return rows


def test_rows_end_up_where_the_warp_says() -> None:
    for row in (120, 250, 350):
        x, warp = warped(_marked(row, 20), np.random.default_rng(row))
        found = x.sum(2).numpy()
        centre = (found * np.arange(FRAMES)).sum(1) / found.sum(1)
        np.testing.assert_allclose(centre, warp.place(np.full(COUNT, row)), atol=0.6)
    assert warp.stretch.min() < 0.97
    assert warp.stretch.max() > 1.03


def test_bands_shift_a_little() -> None:
    x, _ = warped(_marked(250, 20), np.random.default_rng(1))
    found = x.sum(1).numpy()
    centre = (found * np.arange(40)).sum(1) / found.sum(1)
    assert 0.2 < centre.std() < 2.0
    assert np.abs(centre - 20).max() < 5


def test_silence_stays_silent_and_features_in_range() -> None:
    rng = np.random.default_rng(1)
    assert not warped(np.zeros((3, FRAMES, 40), np.uint8), rng)[0].any()
    loud, _ = warped(np.full((8, FRAMES, 40), 250, np.uint8), rng)
    assert 0 <= float(loud.min()) < float(loud.max()) <= 255
    assert len({float(x.mean()) for x in loud}) == 8


def test_warps_are_reproducible() -> None:
    rows = np.random.default_rng(1).integers(0, 255, (4, FRAMES, 40)).astype(np.uint8)
    first, again, other = (warped(rows, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_lessons_are_warped_too() -> None:
    rows = np.array([[100, 300, FRAMES], [100, 380, 300]])
    lesson = Lesson.of(rows, np.zeros((2, 3), np.float32))
    moved = lesson.moved(Warp(np.array([0.9, 1.2])))
    assert moved.rows.tolist() == [[120, 300, FRAMES], [60, FRAMES, 300]]

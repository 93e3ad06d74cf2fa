"""From which score of the first network on a second one is asked: the doubt of a cascade."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluering.models.reference import scores
from bluering.training.fit import ACCEPTS_PER_HOUR
from bluering.training.heard import miss_rates, peaks, phases
from bluering.training.net import receptive_rows
from bluering.training.recipe import Recipe

DOUBTS = (0.3, 0.35, 0.4, 0.45, 0.5)
_ROWS_AN_HOUR = 360_000

Rows = NDArray[np.uint8]


@dataclass(frozen=True)
class Doubt:
    """The score of the first from which on the second is asked, and how often that is."""

    value: int  # 0..255
    asked_per_hour: float  # on recordings that hold no word: how often the score comes to it
    misses: float  # what chose it: see choose_doubt, 0..1


def choose_doubt(
    blobs: tuple[bytes, bytes],
    recipe: Recipe,
    words: Iterable[Rows],
    streams: Sequence[Rows],
) -> Doubt:
    """Of DOUBTS that with which both compiled models together miss the least share of the held-out
    words where the held-out streams give ACCEPTS_PER_HOUR; of equals the highest. Where there are
    no streams, the middle one."""
    heard = [phase for rows in streams for phase in phases(rows, recipe.network.stride)]
    hours = sum(map(len, heard)) / _ROWS_AN_HOUR
    if not hours:
        return Doubt(_level(DOUBTS[len(DOUBTS) // 2]), 0.0, 0.0)
    window = recipe.window
    full = receptive_rows(recipe.network) // recipe.network.stride  # steps until a memory is full
    said = [(first[full:], second[full:]) for first, second in (_each(blobs, x) for x in words)]
    woken = [_each(blobs, rows) for rows in heard]
    found = []
    for level in map(_level, sorted(DOUBTS, reverse=True)):
        reached = np.array([_sliding(*pair, level, window).max(initial=0.0) for pair in said])
        tops = np.concatenate([peaks(_sliding(*pair, level, window)) for pair in woken])
        misses = float(np.mean(miss_rates(reached, tops, hours, ACCEPTS_PER_HOUR)))
        asked = sum(_risings(first, level) for first, _ in woken) / hours
        found.append(Doubt(level, asked, misses))
    return min(found, key=lambda doubt: doubt.misses)


def together(first: Rows, second: Rows, doubt: int) -> Rows:
    """What both say, of what each says after every step, all 0..255."""
    mean = (first.astype(np.uint16) + second) // 2
    return np.where(first >= doubt, mean, first).astype(np.uint8)


def _each(blobs: tuple[bytes, bytes], rows: Rows) -> tuple[Rows, Rows]:
    first, second = blobs
    return scores(first, rows), scores(second, rows)


def _level(share: float) -> int:
    return int(share * 255)


def _sliding(first: Rows, second: Rows, level: int, window: int) -> NDArray[np.float32]:
    both = together(first, second, level).astype(np.float32)
    return np.convolve(both, np.full(window, 1 / window, np.float32), "valid")


def _risings(first: Rows, level: int) -> int:
    asked = first >= level
    return int(np.count_nonzero(asked[1:] & ~asked[:-1]))

"""Background noise of tracks: real recordings, babble, sudden sounds, coloured noise."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bluering.training.augment import sound
from bluering.training.augment.sound import Sound
from bluering.training.recipe import NoiseBy

TALK = ("speech", "prompts")  # kinds of recordings

_SPEEDS = (0.7, 1.4)


class _UpTo(NamedTuple):
    """Cumulative shares of kinds of noise; the rest is coloured noise."""

    real: float
    babble: float
    spoken: float  # synthetic sentences
    sudden: float


_SHARES: dict[NoiseBy, _UpTo] = {
    "time": _UpTo(0.55, 0.72, 0.82, 0.82),
    "kind": _UpTo(0.5, 0.68, 0.76, 0.86),
}


class Noises:
    """Draws noise. recordings: by kind, none where there is no corpus.

    by: "time" draws each second of all recordings with the same probability; "kind" draws a kind,
    except for talk, in proportion to the square root of its duration, so that hours of television
    don't drown out minutes of rain, at several speeds, and adds sudden sounds.
    """

    def __init__(self, recordings: Mapping[str, list[Sound]], by: NoiseBy) -> None:
        self._shares = _SHARES[by]
        # Each `by` keeps the order of talk that models were trained with, as draws depend on it.
        talk = [kind for kind in (TALK if by == "kind" else recordings) if kind in TALK]
        self._people = [x for kind in talk for x in recordings.get(kind, [])]
        all_of_it = [x for pool in recordings.values() for x in pool]
        others = [pool for kind, pool in recordings.items() if kind not in TALK]
        self._pools = others if by == "kind" else [all_of_it] if all_of_it else []
        lengths = np.array([sum(map(len, pool)) for pool in self._pools], float)
        self._likely = np.sqrt(lengths) / np.sqrt(lengths).sum()
        self._real = self._of_some_kind if by == "kind" else self._of_any_time

    def drawn(self, length: int, speak: Callable[[], Sound], rng: np.random.Generator) -> Sound:
        """`length` samples of noise at any level. speak: returns as much synthetic talk."""
        share, up_to = rng.random(), self._shares
        if self._pools and share < up_to.real:
            return self._real(length, rng)
        if self._people and share < up_to.babble:
            return sound.babble(self._people, length, rng)
        if share < up_to.spoken:
            return speak()
        if share < up_to.sudden:
            return sound.sudden(length, rng)
        return sound.coloured(length, rng)

    def _of_any_time(self, length: int, rng: np.random.Generator) -> Sound:
        return sound.excerpt(self._pools[0], length, rng)

    def _of_some_kind(self, length: int, rng: np.random.Generator) -> Sound:
        pool = self._pools[int(rng.choice(len(self._pools), p=self._likely))]
        if rng.random() < 0.5:
            return sound.excerpt(pool, length, rng)
        factor = rng.uniform(*_SPEEDS)
        enough = int(length * (factor + 0.01))  # resampling rounds the factor
        return sound.resampled(sound.excerpt(pool, enough, rng), factor)[:length]

"""What is heard behind a track: real recordings, people, sudden sounds, coloured noise."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bluering.training.augment import sound
from bluering.training.augment.sound import Sound
from bluering.training.recipe import NoiseBy

TALK = ("speech", "prompts")  # kinds of recordings

_SPEEDS = (0.7, 1.4)


class _UpTo(NamedTuple):
    """Sums of the shares, each with those before it; the rest is coloured noise."""

    real: float
    babble: float
    spoken: float  # synthetic sentences
    sudden: float


_SHARES: dict[NoiseBy, _UpTo] = {
    "time": _UpTo(0.55, 0.72, 0.82, 0.82),
    "kind": _UpTo(0.5, 0.68, 0.76, 0.86),
}


class Noises:
    """What noise is drawn from. recordings: by kind, none where there is no corpus.

    by: "time", each second of all recordings as likely as any other; "kind", a kind that isn't talk
    as often as the root of how long it lasts, so that hours of television don't leave minutes of
    rain unheard, at several speeds, and sudden sounds beside them.
    """

    def __init__(self, recordings: Mapping[str, list[Sound]], by: NoiseBy) -> None:
        self._shares = _SHARES[by]
        # Each way has the order that models were made with: in another, other people are drawn.
        talk = [kind for kind in (TALK if by == "kind" else recordings) if kind in TALK]
        self._people = [x for kind in talk for x in recordings.get(kind, [])]
        all_of_it = [x for pool in recordings.values() for x in pool]
        others = [pool for kind, pool in recordings.items() if kind not in TALK]
        self._pools = others if by == "kind" else [all_of_it] if all_of_it else []
        lengths = np.array([sum(map(len, pool)) for pool in self._pools], float)
        self._likely = np.sqrt(lengths) / np.sqrt(lengths).sum()
        self._real = self._of_some_kind if by == "kind" else self._of_any_time

    def drawn(self, length: int, speak: Callable[[], Sound], dice: np.random.Generator) -> Sound:
        """So many samples, of any level. speak: gives that much synthetic talk."""
        share, up_to = dice.random(), self._shares
        if self._pools and share < up_to.real:
            return self._real(length, dice)
        if self._people and share < up_to.babble:
            return sound.babble(self._people, length, dice)
        if share < up_to.spoken:
            return speak()
        if share < up_to.sudden:
            return sound.sudden(length, dice)
        return sound.coloured(length, dice)

    def _of_any_time(self, length: int, dice: np.random.Generator) -> Sound:
        return sound.excerpt(self._pools[0], length, dice)

    def _of_some_kind(self, length: int, dice: np.random.Generator) -> Sound:
        pool = self._pools[int(dice.choice(len(self._pools), p=self._likely))]
        if dice.random() < 0.5:
            return sound.excerpt(pool, length, dice)
        factor = dice.uniform(*_SPEEDS)
        enough = int(length * (factor + 0.01))  # resampling rounds the factor
        return sound.resampled(sound.excerpt(pool, enough, dice), factor)[:length]

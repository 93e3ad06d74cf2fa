"""Chatter: synthetic talk that never says the wake word, as real recordings are too few.

Half of its words are common ones, half sound like the wake word, in random order: every few seconds
there is a sequence of sounds that nobody would have thought of scripting.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluering.training.errors import TrainingError
from bluering.training.speak.lookalikes import (
    Phonemes,
    common_words,
    contained,
    nearest,
    pronunciations,
    sounds_same,
)

_NEAR = 0.5  # the share of words that sound like the wake word
_NEAREST, _EVEN = 1500, 40  # how many of those there are; larger is closer to uniform
_TEMPER = 0.6  # exponent on the frequency of common words, so that rare ones occur too
_SHORTEST, _LONGEST = 4, 14  # words per utterance


def texts(phrase: str, rng: np.random.Generator) -> Iterator[str]:
    """An endless stream of utterances, none of which contains the phrase."""
    wanted = _ways(phrase)
    near, common, frequency = _vocabulary(phrase)
    while True:
        count = int(rng.integers(_SHORTEST, _LONGEST + 1))
        words = [
            near[_rank(len(near), rng)]
            if near and rng.random() < _NEAR
            else common[int(np.searchsorted(frequency, rng.random()))]
            for _ in range(count)
        ]
        text = " ".join(words)
        ways = [sum((pronunciations(word)[0] for word in words), ())]
        if not contained(wanted, ways) and not sounds_same(text, wanted):
            yield text + str(rng.choice((".", ".", ",", "?", "!")))


def _rank(count: int, rng: np.random.Generator) -> int:
    """A rank below count; the density falls with 1 / (rank + _EVEN)."""
    return min(count - 1, int(_EVEN * ((1 + count / _EVEN) ** rng.random() - 1)))


def _ways(phrase: str) -> list[Phonemes]:
    """The phrase's pronunciations; none where the dictionary lacks one of its words."""
    try:
        return pronunciations(phrase)
    except TrainingError:
        return []


@lru_cache(maxsize=4)
def _vocabulary(phrase: str) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Words that sound like the phrase, nearest first, none if the dictionary lacks it; common
    words and their cumulative frequencies, up to 1."""
    from wordfreq import zipf_frequency

    wanted = _ways(phrase)
    scored = sorted(
        (nearest(ways, wanted) if wanted else 0.0, word)
        for word, ways in common_words().items()
        if not contained(wanted, ways)
    )
    near = [word for _, word in scored[:_NEAREST]] if wanted else []
    common = sorted(word for _, word in scored)
    weights = np.array([10 ** (_TEMPER * zipf_frequency(word, "en")) for word in common])
    return near, common, np.cumsum(weights / weights.sum())

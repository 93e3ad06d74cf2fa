"""Hours of synthetic talk in which the word never falls: what real recordings have too little of.

Half of its words are common ones, half sound like the wake word, in an order that means nothing:
every few seconds comes a junction of sounds that nobody would think of asking a voice for.
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
_NEAREST, _EVEN = 1500, 40  # how many of those there are; how little the first are preferred
_TEMPER = 0.6  # of the frequency of common words, so that the rare ones fall too
_SHORTEST, _LONGEST = 4, 14  # words of an utterance


def texts(phrase: str, dice: np.random.Generator) -> Iterator[str]:
    """Utterances without end, none with the phrase in it."""
    wanted = _ways(phrase)
    near, common, frequency = _vocabulary(phrase)
    while True:
        count = int(dice.integers(_SHORTEST, _LONGEST + 1))
        words = [
            near[_rank(len(near), dice)]
            if near and dice.random() < _NEAR
            else common[int(np.searchsorted(frequency, dice.random()))]
            for _ in range(count)
        ]
        text = " ".join(words)
        ways = [sum((pronunciations(word)[0] for word in words), ())]
        if not contained(wanted, ways) and not sounds_same(text, wanted):
            yield text + str(dice.choice((".", ".", ",", "?", "!")))


def _rank(count: int, dice: np.random.Generator) -> int:
    """0 most often: the density falls with 1 / (rank + _EVEN)."""
    return min(count - 1, int(_EVEN * ((1 + count / _EVEN) ** dice.random() - 1)))


def _ways(phrase: str) -> list[Phonemes]:
    """How the phrase is said; empty where the dictionary lacks one of its words."""
    try:
        return pronunciations(phrase)
    except TrainingError:
        return []


@lru_cache(maxsize=4)
def _vocabulary(phrase: str) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Words that sound like the phrase, nearest first; common words and the sums of their
    frequencies, up to 1. No word is near a phrase that the dictionary lacks."""
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

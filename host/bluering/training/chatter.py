"""Hours of synthetic talk in which the word never falls: what real recordings have too little of.

Half of its words are common ones, half sound like the wake word, in an order that means nothing:
every few seconds comes a junction of sounds that nobody would think of asking a voice for.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluering.training import sound
from bluering.training.errors import TrainingError
from bluering.training.lookalikes import (
    Phonemes,
    common_words,
    contained,
    nearest,
    pronunciations,
    sounds_same,
)
from bluering.training.sound import Sound
from bluering.training.voices import RATE, Utterance, Voice, tidy

_NEAR = 0.5  # the share of words that sound like the wake word
_NEAREST, _EVEN = 1500, 40  # how many of those there are; how little the first are preferred
_TEMPER = 0.6  # of the frequency of common words, so that the rare ones fall too
_SHORTEST, _LONGEST = 4, 14  # words of an utterance
_SLOWEST, _FASTEST = 0.7, 1.4
_PAUSE = 0.3  # seconds, on average
_VOCODED = 0.15  # the share that WORLD says anew, slowly; the rest is played faster or slower
_SCENE = (15.0, 60.0)  # seconds in one room, with one noise behind
_LOUDEST = 0.97


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


def chatter(
    phrase: str,
    voice: Voice,
    seconds: float,
    rooms: Sequence[Sound],
    noises: Sequence[Sound],
    dice: np.random.Generator,
    narrow: float = 0.0,
) -> NDArray[np.int16]:
    """So much talk at RATE, in scenes; noises: what may be heard behind it; narrow: the share of
    scenes whose talk has a narrow band."""
    lines = texts(phrase, dice)
    parts, left = [], int(seconds * RATE)
    while left > 0:
        length = min(left, int(dice.uniform(*_SCENE) * RATE))
        parts.append(_scene(_talk(lines, voice, length, dice), rooms, noises, dice, narrow))
        left -= length
    return np.concatenate([np.zeros(0, np.int16), *parts])


def _talk(lines: Iterator[str], voice: Voice, length: int, dice: np.random.Generator) -> Sound:
    talk = np.zeros(length, np.float32)
    at = 0
    while at < length:
        speed = round(float(dice.uniform(_SLOWEST, _FASTEST)), 3)
        said = tidy(*voice.say(Utterance(next(lines), "hibari", "heart", speed)))
        heard = sound.speaker(said.astype(np.float32) / 32768, dice, _VOCODED)[: length - at]
        talk[at : at + len(heard)] += heard * np.float32(dice.uniform(0.4, 1.2))
        at += len(heard) + int(dice.exponential(_PAUSE) * RATE) + 1
    return talk


def _scene(
    x: Sound,
    rooms: Sequence[Sound],
    noises: Sequence[Sound],
    dice: np.random.Generator,
    narrow: float,
) -> NDArray[np.int16]:
    from scipy.signal import fftconvolve

    if dice.random() < 0.65:
        response = rooms[int(dice.integers(len(rooms)))]
        x = np.asarray(fftconvolve(x, response)[: len(x)], np.float32)
    x = sound.transmitted(x, dice, narrow)
    noise = sound.coloured(len(x), dice)
    if noises and dice.random() < 0.6:
        noise = sound.excerpt(noises, len(x), dice)
    snr = dice.uniform(-3, 12) if dice.random() < 0.4 else dice.uniform(12, 60)
    gain = max(sound.active_rms(x), 1e-4) * 10 ** (-snr / 20) / (sound.rms(noise) + 1e-6)
    x = x + noise * np.float32(gain)
    peak = float(np.abs(x).max(initial=0.0)) + 1e-9
    x = x / peak * min(_LOUDEST, 10 ** (dice.uniform(-32, 0) / 20))
    return np.rint(x * 32767).astype(np.int16)


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

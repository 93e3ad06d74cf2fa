"""Is a phrase a good wake word? Said before the hours that training takes."""

from bluering.training.errors import TrainingError
from bluering.training.speak.lookalikes import crowd, pronunciations

_FEWEST_PHONEMES = 6
_COMMON = 4.9  # Zipf's scale: about 80 times in a million words
_CROWDED = 10  # common words and phrases that sound nearly the same


def warnings(phrase: str) -> list[str]:
    """What speaks against a phrase; empty when nothing does. Each names the next step."""
    from wordfreq import zipf_frequency

    try:
        shortest = min(map(len, pronunciations(phrase)))
    except TrainingError as error:
        return [f"{phrase!r} can't be checked for look-alikes: {error}"]
    found = []
    if shortest < _FEWEST_PHONEMES:
        found.append(
            f"{phrase!r} has {shortest} sounds; below {_FEWEST_PHONEMES} a detector has little to "
            f"go by and wakes often by mistake. Try a longer phrase, as 'hey {phrase.lower()}'"
        )
    frequency = zipf_frequency(phrase, "en")
    if frequency >= _COMMON:
        found.append(
            f"{phrase!r} is said about {10 ** (frequency - 3):.0f} times in a million words: it "
            "will wake whenever it is. Choose something people don't say by chance"
        )
    alike = crowd(phrase)
    if len(alike) >= _CROWDED:
        nearest = ", ".join(f"“{look.phrase}”" for look in alike[:5])
        found.append(
            f"{len(alike)} common words or phrases sound almost like {phrase!r}: {nearest}. "
            "Expect false accepts by them, or choose a phrase with rarer sounds"
        )
    return found

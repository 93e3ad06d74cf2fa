"""Whether a phrase makes a good wake word: checked before training, which takes hours."""

from bluering.training.errors import TrainingError
from bluering.training.speak.lookalikes import near_homophones, pronunciations

_FEWEST_PHONEMES = 6
_COMMON = 4.9  # Zipf's scale: about 80 times per million words
_CROWDED = 10  # near homophones


def warnings(phrase: str) -> list[str]:
    """What speaks against a phrase, each with the next step; empty when nothing does."""
    from wordfreq import zipf_frequency

    try:
        shortest = min(map(len, pronunciations(phrase)))
    except TrainingError as error:
        return [f"{phrase!r} can't be checked for look-alikes: {error}"]
    found = []
    if shortest < _FEWEST_PHONEMES:
        found.append(
            f"{phrase!r} has {shortest} sounds; with fewer than {_FEWEST_PHONEMES} a detector has "
            "little to go by and often wakes by mistake. Try a longer phrase, like "
            f"'hey {phrase.lower()}'"
        )
    frequency = zipf_frequency(phrase, "en")
    if frequency >= _COMMON:
        found.append(
            f"{phrase!r} occurs about {10 ** (frequency - 3):.0f} times per million words and will "
            "wake the device each time. Choose something that people don't say by chance"
        )
    alike = near_homophones(phrase)
    if len(alike) >= _CROWDED:
        nearest = ", ".join(f"“{look.phrase}”" for look in alike[:5])
        found.append(
            f"{len(alike)} common words or phrases sound almost like {phrase!r}, among them "
            f"{nearest}. Expect false accepts from them, or choose a phrase with rarer sounds"
        )
    return found

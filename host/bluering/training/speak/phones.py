"""Phonemes: from eSpeak NG's alphabet to Kokoro's, and how accents change them."""

import re
from collections.abc import Sequence

import numpy as np

# From eSpeak NG's IPA to the alphabet that Kokoro was trained on (the package misaki's).
_TO_KOKORO = (
    ("oʊ", "O"),
    ("əʊ", "Q"),
    ("eɪ", "A"),
    ("aɪ", "I"),
    ("ɔɪ", "Y"),
    ("aʊ", "W"),
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("ɚ", "əɹ"),
    ("ɝ", "ɜɹ"),
    ("r", "ɹ"),
    ("g", "ɡ"),
    ("x", "k"),
    ("ɬ", "l"),
    ("e", "ɛ"),
)

# How speakers of other languages change English sounds: (pattern, replacement, probability).
# Coarse on purpose: these are to give many speakers, not to portray any of them.
ACCENTS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "indian": (
        ("t", "ʈ", 0.8),
        ("d", "ɖ", 0.8),
        ("θ", "t", 0.8),
        ("ð", "d", 0.8),
        ("w", "ʋ", 0.7),
        ("v", "ʋ", 0.5),
        ("ɹ", "ɾ", 0.6),
        ("O", "o", 0.7),
        ("A", "e", 0.7),
        ("[əɐ](?=$|[.!?, ])", "a", 0.5),
    ),
    "iberian": (
        ("ɪ", "i", 0.8),
        ("ʊ", "u", 0.8),
        ("[æʌɐ]", "a", 0.8),
        ("ə", "a", 0.5),
        ("z", "s", 0.8),
        ("θ", "t", 0.6),
        ("ð", "d", 0.6),
        ("ʤ", "ʝ", 0.4),
        ("ɹ", "ɾ", 0.7),
        ("O", "o", 0.8),
        ("v", "b", 0.5),
    ),
    "germanic": (
        ("θ", "s", 0.7),
        ("ð", "d", 0.6),
        ("w", "v", 0.6),
        ("ɹ", "ʁ", 0.5),
        ("æ", "ɛ", 0.7),
        ("z(?=$|[.!?, ])", "s", 0.6),
        ("O", "o", 0.6),
        ("ə(?=$|[.!?, ])", "a", 0.5),
    ),
    "french": (
        ("h", "", 0.7),
        ("θ", "s", 0.7),
        ("ð", "z", 0.7),
        ("ɹ", "ʁ", 0.8),
        ("ɪ", "i", 0.8),
        ("O", "o", 0.8),
        ("[əɐ](?=$|[.!?, ])", "a", 0.7),
        ("ˈ", "", 0.4),
    ),
    "east asian": (
        ("l", "ɹ", 0.25),
        ("ɹ", "l", 0.25),
        ("θ", "s", 0.8),
        ("ð", "z", 0.7),
        ("v", "b", 0.4),
        ("[æʌɐ]", "a", 0.6),
        ("ə(?=$|[.!?, ])", "a", 0.6),
        ("O", "o", 0.6),
    ),
    "slavic": (
        ("θ", "s", 0.6),
        ("ð", "z", 0.6),
        ("w", "v", 0.7),
        ("ɪ", "i", 0.6),
        ("ɹ", "r", 0.7),
        ("h", "x", 0.6),
        ("æ", "ɛ", 0.6),
        ("O", "o", 0.7),
        ("ə", "a", 0.4),
    ),
}


def for_kokoro(ipa: str, american: bool) -> str:
    """Convert eSpeak NG's IPA to Kokoro's alphabet."""
    text = ipa.replace("\u200d", "").replace("_", "").replace("\n", " ").strip()
    for old, new in _TO_KOKORO:
        text = text.replace(old, new)
    return text.replace("ː", "") if american else text


def accented(phonemes: str, accent: str, rng: np.random.Generator) -> str:
    """The phonemes as a speaker with one of ACCENTS might say them; unchanged for no accent, ""."""
    for pattern, replacement, share in ACCENTS.get(accent, ()):
        if rng.random() < share:
            phonemes = re.sub(pattern, replacement, phonemes)
    return phonemes


def choose(names: Sequence[str], rng: np.random.Generator) -> str:
    """One of the names, drawn uniformly."""
    return names[int(rng.integers(len(names)))]

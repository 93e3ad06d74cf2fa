"""Phonemes: eSpeak NG's in Kokoro's alphabet, and what accents make of them."""

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

# What speakers of other languages make of English sounds: (pattern, replacement, how often).
# Coarse on purpose: many speakers of each kind, none of them drawn exactly.
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
    """eSpeak NG's IPA in Kokoro's alphabet."""
    text = ipa.replace("\u200d", "").replace("_", "").replace("\n", " ").strip()
    for old, new in _TO_KOKORO:
        text = text.replace(old, new)
    return text.replace("ː", "") if american else text


def accented(phonemes: str, accent: str, generator: np.random.Generator) -> str:
    """The phonemes as a speaker with one of ACCENTS might say them; unchanged for ""."""
    for pattern, replacement, share in ACCENTS.get(accent, ()):
        if generator.random() < share:
            phonemes = re.sub(pattern, replacement, phonemes)
    return phonemes


def choose(names: Sequence[str], generator: np.random.Generator) -> str:
    """One of the names, each as likely as the others."""
    return names[int(generator.integers(len(names)))]

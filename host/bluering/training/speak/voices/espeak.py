"""eSpeak NG: hundreds of voices, robotic but varied, and the phonemes of any text."""

import ctypes
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluering.espeak import CHARS_UTF8, Espeak
from bluering.training.speak.voices import Utterance

_WORDS_A_MINUTE = 165
_PITCH_PER_SEMITONE = 6  # of eSpeak NG's 0..99
_IPA = 2


class EspeakVoice:
    """The library carries state from one utterance to the next: whole batches are reproducible,
    single utterances aren't."""

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """As Voice.say."""
        speaker = _speaker()
        rate = int(np.clip(_WORDS_A_MINUTE * utterance.speed, 80, 450))
        pitch = int(np.clip(50 + _PITCH_PER_SEMITONE * utterance.pitch, 0, 99))
        samples = speaker.say(utterance.spoken, utterance.voice, rate, pitch, 50)
        return samples.astype(np.float32), speaker.rate


def phonemes_of(text: str, language: str) -> str:
    """IPA with stress marks, clauses separated by spaces."""
    speaker = _speaker()
    library = speaker.library
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    speaker.choose(language)
    rest = ctypes.c_char_p(text.encode())
    clauses = []
    while rest.value:
        clause = library.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, _IPA)
        clauses.append((clause or b"").decode())
    return " ".join(filter(None, clauses))


@lru_cache(maxsize=1)
def _speaker() -> Espeak:
    return Espeak()

"""Speech synthesis: what a voice is told to say, and the engines that say it.

Only engines whose licence lets a model trained on their speech be published: Kokoro (Apache-2.0),
and eSpeak NG and Flite, whose output their licences don't cover.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ear.audio.format import RATE

Speech = NDArray[np.int16]  # mono, its peak at half of full scale, without silence around it

_PEAK = 16383
_SILENCE = 0.02  # of the peak
_MARGIN = RATE // 100  # samples left before and after


@dataclass(frozen=True)
class Utterance:
    """One thing to say and who says it: all that decides how it sounds."""

    text: str
    engine: str  # a name in ENGINES
    voice: str  # the engine's own; Kokoro's mixtures as "timbre:NAME*0.7+NAME*0.3;prosody:NAME*1"
    speed: float = 1.0  # 1 is the voice's own
    pitch: float = 0.0  # semitones, where the engine has a pitch
    phonemes: str = ""  # Kokoro's alphabet; where empty, what eSpeak NG makes of the text
    accent: str = ""  # "en-us" or "en-gb", and a name of phones.ACCENTS after a slash
    lead: str = ""  # what the same breath says before the text: "hey", "ask the"

    @property
    def spoken(self) -> str:
        """All of it."""
        return f"{self.lead} {self.text}".strip()


class Voice(Protocol):
    """An engine, ready to speak."""

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """Samples of any scale, and their rate in Hz. Raises VoiceError."""
        ...


def tidy(samples: NDArray[Any], rate: int) -> Speech:
    """Trimmed, at RATE, with its peak at half of full scale; empty when there is no sound."""
    import soxr

    heard = np.asarray(soxr.resample(samples, rate, RATE) if rate != RATE else samples)
    peak = float(np.abs(heard).max(initial=0.0))
    if not np.isfinite(peak) or peak <= 0.0:
        return np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(heard) > _SILENCE * peak)
    heard = heard[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN]
    return np.rint(heard * (_PEAK / peak)).astype(np.int16)

"""Speech synthesis: utterances, and the interface of the engines that say them.

Only engines whose licences allow publishing a model trained on their speech: Kokoro and Hibari
(Apache-2.0), eSpeak NG and Flite, whose licences don't cover their output.
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
    """What is said and by whom: everything that decides how it sounds."""

    text: str
    engine: str  # a name in ENGINES
    voice: str  # the engine's own; Kokoro's mixtures as "timbre:NAME*0.7+NAME*0.3;prosody:NAME*1"
    speed: float = 1.0  # 1 is the voice's own
    pitch: float = 0.0  # semitones, where the engine can change it
    phonemes: str = ""  # in Kokoro's alphabet; empty: eSpeak NG's reading of the text
    accent: str = ""  # "en-us" or "en-gb", and a name of phones.ACCENTS after a slash
    lead: str = ""  # said in the same breath before the text: "hey", "ask the"

    @property
    def spoken(self) -> str:
        """The whole text."""
        return f"{self.lead} {self.text}".strip()


class Voice(Protocol):
    """An engine, ready to speak."""

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """Samples of any scale, and their rate in Hz. Raises TrainingError."""
        ...


def tidy(samples: NDArray[Any], rate: int) -> Speech:
    """Trim, resample to RATE and scale the peak to half of full scale; empty if there is no
    sound."""
    import soxr

    x = np.asarray(soxr.resample(samples, rate, RATE) if rate != RATE else samples)
    peak = float(np.abs(x).max(initial=0.0))
    if not np.isfinite(peak) or peak <= 0.0:
        return np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(x) > _SILENCE * peak)
    x = x[max(0, loud[0] - _MARGIN) : loud[-1] + _MARGIN]
    return np.rint(x * (_PEAK / peak)).astype(np.int16)

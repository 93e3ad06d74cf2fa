"""Hibari: a small network distilled from one of Kokoro's voices, a hundred times faster.

It has one voice with little variation, so it says everything but the word, for hours. All of it is
in the package hibari-tts (Apache-2.0); it reads plain English.
"""

import numpy as np
from numpy.typing import NDArray

from bluering.training.errors import TrainingError
from bluering.training.speak.voices import Utterance

_RATE = 24000
_SLOWEST, _FASTEST = 0.5, 2.0


class Hibari:
    """Runs on one thread. The same utterance always gives the same samples."""

    def __init__(self) -> None:
        try:
            import hibari
        except ImportError as error:
            raise TrainingError(
                "the package hibari-tts is missing; run: pip install 'bluering[train]'"
            ) from error
        self._speech = hibari.Hibari(threads=1)

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """As Voice.say."""
        speed = min(_FASTEST, max(_SLOWEST, utterance.speed))
        said = self._speech(utterance.spoken, speed=speed, seed=0)
        return np.asarray(said, np.float32), _RATE

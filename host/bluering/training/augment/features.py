"""The front end's features of a whole recording."""

import numpy as np
from numpy.typing import NDArray

from ear.audio.format import RATE

_HOP = RATE // 100
_PIECE = 1500 * _HOP  # samples at a time: the front end makes lists of numbers


def features(samples: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Rows (n, 40), uint8, from the moment the front end is switched on. samples: 16 kHz."""
    from bluering.validate.reference import FrontEnd

    frontend = FrontEnd()
    pieces = range(0, max(1, len(samples)), _PIECE)
    return np.concatenate([frontend.push(samples[at : at + _PIECE]) for at in pieces])

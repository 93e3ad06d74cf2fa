"""Disguises a voice: shifts pitch and formants together, by a factor that differs by clip.

The sound is stretched in time without changing its pitch (WSOLA: Verhelst and Roelands, ICASSP
1993) and then played that much faster by resampling. It keeps an acquaintance from recognising a
voice at once; it doesn't withstand someone who sets out to undo it.
"""

import numpy as np
import soxr

from bluering.samples import Samples
from ear.audio.format import RATE

_FRAME = 512
_HOP = _FRAME // 2
_SEARCH = 160
"""Samples to either side in which the best continuation is looked for: one period at 100 Hz."""
_LOWEST, _HIGHEST = 1.15, 1.35


def disguise(samples: Samples, clip_id: str) -> Samples:
    """The same length, in another voice; ``clip_id`` (hexadecimal) chooses which."""
    factor = factor_of(clip_id)
    stretched = stretch(samples.astype(np.float64), factor)
    shifted = soxr.resample(stretched, RATE * factor, RATE)
    whole = np.zeros(len(samples))
    count = min(len(whole), len(shifted))
    whole[:count] = shifted[:count]
    return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)


def factor_of(clip_id: str) -> float:
    """Up or down by 15 to 35 %."""
    number = int(clip_id[:8], 16)
    size = _LOWEST + (_HIGHEST - _LOWEST) * (number >> 1) / 2**31
    return size if number & 1 else 1 / size


def stretch(samples: np.ndarray, factor: float) -> np.ndarray:
    """Longer by ``factor`` at the same pitch."""
    window = np.hanning(_FRAME + 1)[:-1]
    padded = np.pad(samples, (_SEARCH, _SEARCH + 2 * _FRAME))
    frames = int(len(samples) * factor) // _HOP
    out = np.zeros((frames + 1) * _HOP + _FRAME)
    here = _SEARCH
    for number in range(frames):
        wanted = _SEARCH + int(number * _HOP / factor)
        if number:
            here = _best(padded, padded[here + _HOP : here + _HOP + _FRAME], wanted)
        out[number * _HOP :][:_FRAME] += window * padded[here : here + _FRAME]
    return out[: int(len(samples) * factor)]


def _best(padded: np.ndarray, continuation: np.ndarray, wanted: int) -> int:
    """Where, near ``wanted``, the sound is most like what would have come next."""
    first = max(0, wanted - _SEARCH)
    last = min(len(padded) - _FRAME, wanted + _SEARCH)
    likeness = np.correlate(padded[first : last + _FRAME], continuation[:_FRAME], "valid")
    return first + int(np.argmax(likeness))

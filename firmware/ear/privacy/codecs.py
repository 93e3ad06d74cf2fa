"""How sound is written into chunks: each chunk can be decoded without the ones before it.

A chunk's body: predictor + 32768 (u16), step index (u8), 0 (u8), then two codes of ADPCM a byte.
"""

from ear.audio.format import HOP
from ear.kernels import Kernels
from ear.privacy import adpcm

ADPCM = 1  # as a recording's beginning names it; there is no other
NAME = "adpcm"

HOPS_PER_CHUNK = 5  # as many as fit into a frame of the link
_HEAD = 4
CAPACITY = _HEAD + HOPS_PER_CHUNK * HOP // 2  # bytes of a full chunk's body


class Encoder:
    """Writes hops into a chunk's body, one after the other."""

    def __init__(self, kernels=None):
        """``kernels``: ADPCM's, else its plain twin."""
        self._kernels = kernels = kernels or Kernels(adpcm)
        self._codes = bytearray(HOP // 2)
        self._state = adpcm.new_state()
        self._codes_place = kernels.place(self._codes)
        self._state_place = kernels.place(self._state)
        self._filled = 0
        self._hop = self._hop_place = None

    def reset(self):
        """A new recording begins."""
        self._state[0] = 32768
        self._state[1] = 0
        self._filled = 0

    def push(self, hop, body):
        """Append a hop (320 bytes) to ``body``; returns the body's length in bytes so far."""
        if self._filled == 0:
            self._filled = self._begin(body)
        if hop is not self._hop:  # hops come in the same few buffers again and again
            self._hop_place = self._kernels.place(hop)
            self._hop = hop
        self._kernels.encode(self._hop_place, self._codes_place, self._state_place, HOP)
        end = self._filled + len(self._codes)
        body[self._filled : end] = self._codes
        self._filled = end
        return end

    def finish(self):
        """The chunk is complete: the next hop begins another."""
        self._filled = 0

    def _begin(self, body):
        predictor = self._state[0]
        body[0] = predictor & 255
        body[1] = predictor >> 8
        body[2] = self._state[1]
        body[3] = 0
        return _HEAD


def decode(body):
    """The samples of a chunk's body, as int16 little-endian bytes.

    Raises ValueError for a body that no device writes.
    """
    if len(body) < _HEAD or body[2] >= len(adpcm.STEPS):
        raise ValueError("not a chunk of sound")
    state = adpcm.new_state()
    state[0] = body[0] | body[1] << 8
    state[1] = body[2]
    count = 2 * (len(body) - _HEAD)
    samples = bytearray(2 * count)
    adpcm.decode(body[_HEAD:], samples, state, count)
    return bytes(samples)

"""How sound is written into chunks: each chunk can be decoded without the ones before it."""

from ear.audio.format import HOP
from ear.kernels import Kernels
from ear.privacy import adpcm

PCM16 = 0  # int16 little-endian
ADPCM = 1  # predictor + 32768 (u16), step index (u8), 0 (u8), then two codes a byte
NAMES = ("pcm16", "adpcm")

HOPS_PER_CHUNK = (1, 5)  # as many as fit into a frame of the link
_HOP_BYTES = (2 * HOP, HOP // 2)
CAPACITY = (2 * HOP, 4 + 5 * HOP // 2)  # bytes of a full chunk's body


class Encoder:
    """Writes hops into a chunk's body, one after the other."""

    def __init__(self, codec, kernels=None):
        """``codec``: an index into NAMES; ``kernels``: ADPCM's, else its plain twin."""
        self.codec = codec
        self.capacity = CAPACITY[codec]
        self._kernels = kernels = kernels or Kernels(adpcm)
        self._codes = bytearray(_HOP_BYTES[codec])
        self._state = adpcm.new_state()
        self._codes_place = kernels.place(self._codes)
        self._state_place = kernels.place(self._state)
        self._filled = 0

    def reset(self):
        """A new recording begins."""
        self._state[0] = 32768
        self._state[1] = 0
        self._filled = 0

    def push(self, hop, body):
        """Append a hop (320 bytes) to ``body``; returns the body's length in bytes so far."""
        if self._filled == 0:
            self._filled = self._begin(body)
        source = hop
        if self.codec == ADPCM:
            kernels = self._kernels
            kernels.encode(kernels.place(hop), self._codes_place, self._state_place, HOP)
            source = self._codes
        end = self._filled + len(source)
        body[self._filled : end] = source
        self._filled = end
        return end

    def finish(self):
        """The chunk is complete: the next hop begins another."""
        self._filled = 0

    def _begin(self, body):
        if self.codec == PCM16:
            return 0
        predictor = self._state[0]
        body[0] = predictor & 255
        body[1] = predictor >> 8
        body[2] = self._state[1]
        body[3] = 0
        return 4


def decode(codec, body):
    """The samples of a chunk's body, as int16 little-endian bytes.

    Raises ValueError for a codec or a body that no device writes.
    """
    if codec == PCM16 and len(body) % 2 == 0:
        return bytes(body)
    if codec != ADPCM or len(body) < 4 or body[2] >= len(adpcm.STEPS):
        raise ValueError("not a chunk of sound")
    state = adpcm.new_state()
    state[0] = body[0] | body[1] << 8
    state[1] = body[2]
    count = 2 * (len(body) - 4)
    samples = bytearray(2 * count)
    adpcm.decode(body[4:], samples, state, count)
    return bytes(samples)

"""The microphone: whole hops of 16-bit samples, and an honest count of what was lost.

``machine.I2S`` overwrites its buffer without a word when it isn't drained in time. So the
backlog is reckoned here from the clock, and a backlog that the buffer can't hold is a gap.
"""

import time

from ear.audio import mic_kernels
from ear.audio.format import HOP, HOP_US, RATE
from ear.kernels import Kernels

_FRAME_BYTES = 8  # I2S buffers 32-bit stereo frames, whatever is read from them
_WAITED_US = 500  # a read that took this long found the buffer empty


class Microphone:
    """Reads hops from an I2S bus.

    ``open_i2s`` makes a ``machine.I2S`` (or what stands in for it); ``bits`` is 16 or 32,
    the word length it delivers; ``shift`` (1..16) brings 32-bit words down to 16 bits;
    ``ibuf`` is its buffer in bytes; ``kernels`` are the microphone's, viper's if there are none.
    """

    def __init__(self, open_i2s, bits, shift, ibuf, kernels=None):
        self._open_i2s = open_i2s
        self._i2s = None
        self._shift = shift
        self._capacity_us = ibuf // _FRAME_BYTES * 1000 // (RATE // 1000)
        self._backlog_us = 0
        self._last = 0
        self.hop = bytearray(2 * HOP)
        self._words = bytearray(4 * HOP) if bits == 32 else self.hop
        self._kernels = kernels = kernels or Kernels(mic_kernels)
        self._hop_place = kernels.place(self.hop)
        self._words_place = kernels.place(self._words)
        self.gaps = 0
        self.lost = 0  # samples, in all gaps

    @property
    def running(self):
        """Whether the bus is on."""
        return self._i2s is not None

    def start(self):
        """Switch the bus on; the first hop begins now."""
        self._i2s = self._open_i2s()
        self._backlog_us = 0
        self._last = time.ticks_us()

    def stop(self):
        """Switch the bus off: nothing hears until the next start."""
        if self._i2s is not None:
            self._i2s.deinit()
            self._i2s = None

    def read(self):
        """Wait for the next hop and put it into ``hop``.

        Returns the samples that were lost just before it, usually 0; -1 when the
        microphone delivers no more.
        """
        called = time.ticks_us()
        lost = self._note_backlog(time.ticks_diff(called, self._last))
        if self._i2s.readinto(self._words) < len(self._words):
            return -1
        self._last = time.ticks_us()
        waited = time.ticks_diff(self._last, called)
        self._backlog_us = 0 if waited > _WAITED_US else max(0, self._backlog_us - HOP_US)
        if self._words is not self.hop:
            self._kernels.narrow(self._words_place, self._hop_place, HOP, self._shift)
        return lost

    def _note_backlog(self, pause_us):
        """Add the time since the last hop; what the buffer couldn't hold is lost."""
        self._backlog_us += pause_us
        excess_us = self._backlog_us - self._capacity_us
        if excess_us <= 0:
            return 0
        self._backlog_us = self._capacity_us
        samples = excess_us * (RATE // 1000) // 1000
        if samples:
            self.gaps += 1
            self.lost += samples
        return samples

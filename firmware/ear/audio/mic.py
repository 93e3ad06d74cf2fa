"""The microphone: whole hops of 16-bit samples, and an honest count of what was lost.

``machine.I2S`` overwrites its buffer without a word when it isn't drained in time. So the
backlog is reckoned here from the clock, and a backlog that the buffer can't hold is a gap.
"""

import time

from ear.audio import mic_kernels
from ear.audio.format import BLOCK, HOP, HOP_BYTES, HOP_US, RATE
from ear.kernels import Kernels

_FRAME_BYTES = 8  # I2S buffers 32-bit stereo frames, whatever is read from them
_WAITED_US = 500  # a read that took this long found the buffer empty


class Microphone:
    """Reads hops from an I2S bus.

    ``open_i2s`` makes a ``machine.I2S`` (or what stands in for it); ``bits`` is 16 or 32,
    the word length it delivers; ``shift`` (1..16) brings 32-bit words down to 16 bits;
    ``ibuf`` is its buffer in bytes; ``kernels`` are the microphone's, viper's if there are none.
    ``hops`` are the places of the hops that a read brings, ``count`` is how many it brought.
    ``running``: whether the bus is on.
    """

    def __init__(self, open_i2s, bits, shift, ibuf, kernels=None):
        self._open_i2s = open_i2s
        self._i2s = None
        self.running = False
        self._shift = shift
        self._capacity_us = ibuf // _FRAME_BYTES * 1000 // (RATE // 1000)
        self._backlog_us = 0
        self._last = 0
        self._sound = bytearray(BLOCK * HOP_BYTES)
        self._wide = bits == 32
        self._words = bytearray(2 * BLOCK * HOP_BYTES) if self._wide else self._sound
        words = memoryview(self._words)
        self._word_hop = len(words) // BLOCK  # bytes of a hop on the bus
        self._reads = tuple(words[: hops * self._word_hop] for hops in range(BLOCK + 1))
        sound = memoryview(self._sound)
        self.hops = tuple(sound[at : at + HOP_BYTES] for at in range(0, len(sound), HOP_BYTES))
        self.count = 0
        self.gaps = 0
        self.lost = 0  # samples, in all gaps
        self.slowest_us = 0  # longest time between two reads; whoever reports it sets it back
        self.use(kernels or Kernels(mic_kernels))

    def use(self, kernels):
        """Let these kernels do the work from now on."""
        self._kernels = kernels
        self._sound_place = kernels.place(self._sound)
        self._words_place = kernels.place(self._words)

    def start(self):
        """Switch the bus on; the first hop begins now. Raises OSError when it can't be."""
        self._i2s = self._open_i2s()
        self.running = True
        self._backlog_us = 0
        self._last = time.ticks_us()

    def stop(self):
        """Switch the bus off: nothing hears until the next start."""
        if self._i2s is not None:
            self._i2s.deinit()
            self._i2s = None
            self.running = False

    def read(self, wanted=1):
        """Wait for the next ``wanted`` hops, 1 to BLOCK, and put them into ``hops``.

        Returns the samples that were lost just before them, usually 0; -1 when the
        microphone delivers no more. ``count`` is less than ``wanted`` only at the end.
        """
        now = time.ticks_us()
        backlog = time.ticks_diff(now, self._last)
        self._last = now
        if backlog > self.slowest_us:
            self.slowest_us = backlog
        backlog += self._backlog_us
        lost = 0
        if backlog > self._capacity_us:
            lost = self._overflow(backlog - self._capacity_us)
            backlog = self._capacity_us
        got = self._i2s.readinto(self._reads[wanted])
        if got < wanted * self._word_hop:
            wanted = got // self._word_hop
            if not wanted:
                return -1
        self.count = wanted
        now = time.ticks_us()
        if time.ticks_diff(now, self._last) > _WAITED_US:
            self._backlog_us = 0
        else:
            self._backlog_us = max(0, backlog - wanted * HOP_US)
        self._last = now
        if self._wide:
            self._narrow(wanted)
        return lost

    def _narrow(self, hops):
        count = hops * HOP
        self._kernels.narrow(self._words_place, self._sound_place, count, self._shift)

    def _overflow(self, excess_us):
        """Count what the buffer couldn't hold; returns the samples."""
        samples = excess_us * (RATE // 1000) // 1000
        if samples:
            self.gaps += 1
            self.lost += samples
        return samples

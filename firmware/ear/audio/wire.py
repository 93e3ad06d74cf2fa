"""Sound by wire: the host's samples instead of the microphone's, hop by hop and none lost.

The host sends no more than it was granted, so that what waits here is never more than
``CAPACITY`` hops; every hop that was heard grants another.
"""

from ear.audio.format import HOP_BYTES
from ear.link.frame_kernels import copy_into

CAPACITY = 8  # hops


class Wire:
    """A first-in, first-out ring of hops, allocated once."""

    def __init__(self):
        self._hops = [bytearray(HOP_BYTES) for _ in range(CAPACITY)]
        self._head = 0
        self._waiting = 0

    def clear(self):
        """Forget what waits."""
        self._waiting = 0

    def put(self, payload, offset, length):
        """Take a hop from the link; False when it isn't one, or wasn't granted."""
        if length != HOP_BYTES or self._waiting == CAPACITY:
            return False
        copy_into(payload[offset:], length, self._hops[self._head], 0)
        self._head = (self._head + 1) % CAPACITY
        self._waiting += 1
        return True

    def take(self):
        """The hop that waits longest, valid until the next ``put``; None when there is none."""
        if not self._waiting:
            return None
        self._waiting -= 1
        return self._hops[(self._head - self._waiting - 1) % CAPACITY]

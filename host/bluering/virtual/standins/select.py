"""Stands in for ``select`` on the virtual board, so that waiting moves fast mode's own clock."""

import uselect
import wires
from uselect import *


class poll:  # noqa: N801 - the name that it stands in for
    """A poll whose timeouts are those of the board's clock."""

    def __init__(self):
        self._poll = uselect.poll()

    def register(self, stream, events=POLLIN | POLLOUT):
        self._poll.register(stream, events)

    def ipoll(self, timeout=-1):
        if timeout > 0 and wires.FAST and not self._is_ready():
            wires.sleep_us(timeout * 1000)
            timeout = 0
        return self._poll.ipoll(timeout)

    def _is_ready(self):
        for _ in self._poll.ipoll(0):
            return True
        return False

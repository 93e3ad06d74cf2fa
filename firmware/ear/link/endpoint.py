"""One end of the link: what goes out, what comes in, and what the host asked to be told."""

import os
import struct
import sys
import time

from ear.link.inbox import Inbox
from ear.link.outbox import Outbox

_FLUSH_TRIES = 100
_FLUSH_PAUSE_MS = 20  # more than a tick of the system's clock, or the core would never rest


class Link:
    """The device's end: ``out`` and ``inbox`` on the console's stream.

    ``session`` is a number drawn at each start; ``scores_every`` and ``health_every`` are what
    the host asked for; ``link_rate`` is what the board's port carries, bytes a second, 0 for
    more than is ever sent.
    """

    def __init__(self, link_rate):
        # What goes out in one hop must not hold up the next one.
        burst = min(512, link_rate // 100) if link_rate else 512
        # Of a slow link, what waits longer than half a second isn't telemetry any more.
        capacity = 4096 if link_rate else 8192
        self.out = Outbox(sys.stdout.buffer, capacity, burst)
        self.inbox = Inbox(sys.stdin.buffer)
        self.session = struct.unpack("<I", os.urandom(4))[0]
        self.scores_every = 1
        self.health_every = 100

    def flush_some(self, bursts=4):
        """Write a few bursts, if the stream takes them."""
        for _ in range(bursts):
            if not self.out.pump():
                return

    def flush(self):
        """Give the stream time to take what waits, within reason."""
        for _ in range(_FLUSH_TRIES):
            while self.out.pump():
                pass
            if not self.out.pending:
                return
            time.sleep_ms(_FLUSH_PAUSE_MS)

"""The inbox: what the host says, without waiting for it."""

import select
import time

from ear.link.frame_kernels import check_crc, unstuff
from ear.link.frames import CRC_TABLE, FRAME, HEADER, Decoder
from ear.link.messages import HELLO_REQUEST


def unseal(body, length, message):
    """``frames.unseal`` by the kernels."""
    size = check_crc(message, unstuff(body, length, message), CRC_TABLE)
    return size if size >= HEADER else -1


class Inbox:
    """Messages from the host, found in what the stream has.

    After ``poll`` returned True, ``kind`` and ``payload[:length]`` hold the message until the
    next call. ``lost`` counts frames that never came; ``receiving``: a message has begun.
    stream: takes ``readinto`` and can be polled; budget: the most bytes that are read at once.
    """

    def __init__(self, stream, budget=256):
        self._stream = stream
        self._readable = select.poll()
        self._readable.register(stream, select.POLLIN)
        self._can_read()  # the first poll allocates
        self._budget = budget
        # One at a time: a board's stdin waits for as many bytes as it is asked for.
        self._byte = bytearray(1)
        self._decoder = Decoder(unseal)
        self.payload = self._decoder.payload
        self.kind = 0
        self.length = 0
        self.lost = 0
        self.receiving = False

    def wait(self, timeout_ms):
        """Rest until something comes in, for so long at most; True when something did.

        A sleep of ``time`` keeps the core busy for the last tick of the system's clock, waiting
        for the stream doesn't.
        """
        for _, events in self._readable.ipoll(timeout_ms):
            if events & select.POLLIN:
                return True
            time.sleep_ms(timeout_ms)  # nobody is at the other end: that would return at once
        return False

    def poll(self):
        """Read what is there; True when that completed a message."""
        if not self._can_read():
            return False
        left = self._budget
        while left and self._can_read() and self._stream.readinto(self._byte):
            if self._decoder.push(self._byte[0]) == FRAME:
                self._accept()
                self.receiving = False
                return True
            left -= 1
        self.receiving = not self._decoder.ended
        return False

    def _accept(self):
        self.kind = self._decoder.kind
        self.length = self._decoder.length
        # A host that has just come asks for the hello; its numbers start anew.
        if self.kind != HELLO_REQUEST.id:
            self.lost += self._decoder.missed

    def _can_read(self):
        for _, events in self._readable.ipoll(0):
            return bool(events & select.POLLIN)
        return False

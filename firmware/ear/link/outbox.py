"""The outbox: whole frames wait here until the stream takes them, and nobody waits for it."""

import select

from ear.link.frame_kernels import add_crc, stuff
from ear.link.frames import CRC, CRC_TABLE, HEADER, MAX_FRAME, MAX_PAYLOAD, frame_size


class Outbox:
    """Frames on their way to the host, in a ring of bytes that is allocated once.

    A message is written into ``payload`` and then sent. ``dropped`` counts the frames that
    found the ring full. stream: takes ``write(buffer, offset, length)`` and can be polled;
    capacity: the ring's bytes; burst: the most bytes that are written at once, few enough
    that the stream's own buffer has them out before the next hop.
    """

    def __init__(self, stream, capacity=8192, burst=64):
        self._stream = stream
        self._writable = select.poll()
        self._writable.register(stream, select.POLLOUT)
        self._can_write()  # the first poll allocates
        # A frame is sealed in one piece; what overhangs the end is then moved to the front.
        self._capacity = capacity
        self._ring = bytearray(capacity + MAX_FRAME)
        self._burst = burst
        self._head = 0  # where the next frame begins
        self._sequence = 0
        self._message = bytearray(HEADER + MAX_PAYLOAD + CRC)
        self.payload = memoryview(self._message)[HEADER : HEADER + MAX_PAYLOAD]
        self.pending = 0  # bytes that wait
        self.dropped = 0

    def send(self, kind, length):
        """Queue ``payload[:length]`` as a message; False when it was dropped for want of room."""
        if length > MAX_PAYLOAD:
            raise ValueError("payload too long")
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        if self.pending + frame_size(length) > self._capacity:
            self.dropped += 1
            return False
        message = self._message
        message[0] = kind
        message[1] = sequence & 0xFF
        message[2] = sequence >> 8
        length = add_crc(message, HEADER + length, CRC_TABLE)
        self._advance(stuff(message, length, self._ring, self._head))
        return True

    def _advance(self, size):
        self.pending += size
        self._head += size
        overhang = self._head - self._capacity
        if overhang >= 0:
            for place in range(overhang):
                self._ring[place] = self._ring[self._capacity + place]
            self._head = overhang

    @property
    def behind(self):
        """Whether more waits than one burst."""
        return self.pending > self._burst

    def pump(self):
        """Write at most one burst, if the stream takes any; returns the bytes written."""
        if self.pending == 0 or not self._can_write():
            return 0
        tail = (self._head - self.pending) % self._capacity
        length = min(self.pending, self._burst, self._capacity - tail)
        written = self._stream.write(self._ring, tail, length) or 0
        self.pending -= written
        return written

    def clear(self):
        """Drop all that waits; the rest of a frame that is partly out never follows."""
        self.pending = 0

    def _can_write(self):
        for _, events in self._writable.ipoll(0):
            return bool(events & select.POLLOUT)
        return False

"""The outbox: whole frames wait here until the stream takes them, and nobody waits for it."""

import select

from ear.kernels import Kernels
from ear.link import frame_kernels
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
        self.burst = burst
        self._head = 0  # where the next frame begins
        self._sequence = 0
        self._message = bytearray(HEADER + MAX_PAYLOAD + CRC)
        self.payload = memoryview(self._message)[HEADER : HEADER + MAX_PAYLOAD]
        self.pending = 0  # bytes that wait
        self.dropped = 0
        self.use(Kernels(frame_kernels))

    def use(self, kernels):
        """Seal with the link's ``kernels`` from now on; viper's do until then.

        What was kept before can't be sent any more.
        """
        self._place = kernels.place
        self._seal = kernels.seal
        self._own = self.keep(self._message)
        self._ring_place = kernels.place(self._ring)
        self._table_place = kernels.place(CRC_TABLE)

    def send(self, kind, length):
        """Queue ``payload[:length]`` as a message; False when it was dropped for want of room."""
        if length > MAX_PAYLOAD:
            raise ValueError("payload too long")
        self._message[0] = kind
        return self.send_kept(self._own, length, frame_size(length))

    def keep(self, message):
        """What ``send_kept`` takes for a message that its sender keeps.

        message: a bytearray of its kind, room for its number, the payload and room for the
        checksum.
        """
        return message, self._place(message)

    def send_kept(self, kept, length, room):
        """Queue what ``keep`` returned; False when it was dropped for want of room.

        length: bytes of payload; room: ``frame_size(length)``.
        """
        kept[0][1] = self._sequence & 0xFF
        kept[0][2] = self._sequence >> 8
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self.pending + room > self._capacity:
            self.dropped += 1
            return False
        room = self._seal(kept[1], HEADER + length, self._ring_place, self._head, self._table_place)
        self.pending += room
        self._head += room
        if self._head >= self._capacity:
            self._head = self._wrap(self._head - self._capacity)
        return True

    def _wrap(self, overhang):
        """Move what overhangs the ring's end to its front."""
        ring, capacity = self._ring, self._capacity
        for place in range(overhang):
            ring[place] = ring[capacity + place]
        return overhang

    def pump(self):
        """Write at most one burst, if the stream takes any; returns the bytes written."""
        if self.pending == 0 or not self._can_write():
            return 0
        tail = (self._head - self.pending) % self._capacity
        length = min(self.pending, self.burst, self._capacity - tail)
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

"""On MicroPython: the outbox on a stream that takes what it likes."""

import io
import select
import struct
import sys

sys.path.insert(0, sys.argv[1])

from ear.link import telemetry
from ear.link.frames import FRAME, Decoder
from ear.link.messages import BYE, RING
from ear.link.outbox import Outbox

_IOCTL_POLL = 3


class Stream(io.IOBase):
    """Takes at most ``room`` bytes a write; with -1 it would block."""

    def __init__(self):
        self.taken = bytearray()
        self.room = 1000
        self.ready = True

    def ioctl(self, request, _):
        if request != _IOCTL_POLL:
            return -1
        return select.POLLOUT if self.ready else 0

    def write(self, buffer, offset, length):
        if self.room < 0:
            return None
        length = min(length, self.room)
        self.taken += buffer[offset : offset + length]
        return length


def frames_in(data):
    decoder = Decoder()
    found = []
    for byte in data:
        if decoder.push(byte) == FRAME:
            payload = bytes(decoder.payload[: decoder.length])
            found.append((decoder.kind, decoder.sequence, payload))
    assert decoder.garbage == 0
    return found


def drain(outbox):
    while outbox.pump():
        pass


def send_numbered(outbox, number, length):
    struct.pack_into("<I", outbox.payload, 0, number)
    for place in range(4, length):
        outbox.payload[place] = number & 0xFF
    return outbox.send(9, length)


# What is written arrives whole and in order, in whatever pieces the stream takes it.
for room in (3, 7, 1000):
    stream = Stream()
    outbox = Outbox(stream, capacity=250, burst=50)
    stream.room = room
    sent = 0
    while sent < 60:
        if send_numbered(outbox, sent, 4 + sent % 60):
            sent += 1
        else:
            drain(outbox)
        outbox.pump()
    drain(outbox)
    found = frames_in(stream.taken)
    assert [struct.unpack("<I", payload[:4])[0] for _, _, payload in found] == list(range(60))
    assert outbox.pending == 0

# Never more than one burst at once.
stream = Stream()
outbox = Outbox(stream, capacity=250, burst=50)
while send_numbered(outbox, 0, 40):
    pass
assert outbox.pump() == 50

# A stream that takes nothing: whole frames are dropped and counted, and their numbers tell.
stream = Stream()
stream.ready = False
outbox = Outbox(stream, capacity=250)
accepted = sum(send_numbered(outbox, number, 20) for number in range(100))
assert 0 < accepted < 100
assert outbox.dropped == 100 - accepted
assert outbox.pump() == 0
assert not stream.taken
stream.ready = True
stream.room = -1
assert outbox.pump() == 0
assert not stream.taken
stream.room = 1000
drain(outbox)
assert send_numbered(outbox, 100, 20)
drain(outbox)
sequences = [sequence for _, sequence, _ in frames_in(stream.taken)]
assert sequences[:-1] == list(range(accepted))
assert sequences[-1] == 100

# The biggest payload fits, a bigger one is refused before it does harm.
stream = Stream()
outbox = Outbox(stream, capacity=1024)
assert outbox.send(9, 512)
drain(outbox)
assert len(frames_in(stream.taken)[0][2]) == 512
for attempt in (
    lambda: outbox.send(9, 513),
    lambda: telemetry.ring(outbox, 0, 0, 0, bytes(600)),
    lambda: telemetry.log(outbox, 0, "x" * 255, "y" * 300),
):
    try:
        attempt()
    except ValueError:
        pass
    else:
        raise AssertionError("a message that is too long was sent")

# A long text is cut to what its length byte can say.
stream = Stream()
outbox = Outbox(stream)
telemetry.bye(outbox, "z" * 300)
telemetry.ring(outbox, 1, 2, 3, bytes(range(255)) + bytes(48))
while outbox.pump():
    pass
(bye, ring) = frames_in(stream.taken)
assert bye == (BYE.id, 0, b"\xff" + b"z" * 255)
assert ring[0] == RING.id
assert ring[2] == struct.pack("<HIBH", 1, 2, 3, 303) + bytes(range(255)) + bytes(48)
print("ok")

"""On MicroPython: seal and unseal, the kernels and their plain twins, on the host's vectors.

Arguments: the firmware's folder and a file of vectors, each two u16 lengths, then the content
(kind, sequence and payload) and the frame that the host made of it.
"""

import struct
import sys

sys.path.insert(0, sys.argv[1])

from ear.link import frame_kernels, frames

_RING = 1024


def check(codec, content, frame, at):
    message = bytearray(content) + bytes(frames.CRC)
    ring = bytearray(_RING)
    size = codec.seal(message, len(content), ring, at)
    sealed = bytes(ring[(at + place) % _RING] for place in range(size))
    assert sealed == frame, (codec.__name__, content, sealed)
    body = frame[1:-1]
    opened = bytearray(len(body))
    assert codec.unseal(body, len(body), opened) == len(content), (codec.__name__, content)
    assert opened[: len(content)] == content


with open(sys.argv[2], "rb") as file:
    count = 0
    while head := file.read(4):
        content_size, frame_size = struct.unpack("<HH", head)
        content = file.read(content_size)
        frame = file.read(frame_size)
        for codec in (frame_kernels, frames):
            check(codec, content, frame, 0)
            check(codec, content, frame, _RING - count % frame_size)  # wraps round
        count += 1

target = bytearray(8)
assert frame_kernels.copy(b"abcdef", 4, target, 3) == 7
assert target == b"\0\0\0abcd\0"
print(count, "vectors ok")

"""On MicroPython: sealing and unsealing, by the kernels and plain, on the host's vectors.

Arguments: the firmware's folder and a file of vectors, each two u16 lengths, then the content
(kind, sequence and payload) and the frame that the host made of it.
"""

import struct
import sys

sys.path.insert(0, sys.argv[1])

from ear.link import frame_kernels, frames, inbox


def seal(message, length, out, at):
    return frame_kernels.seal(message, length, out, at, frames.CRC_TABLE)


def check(seal, unseal, content, frame):
    message = bytearray(content) + bytes(frames.CRC)
    out = bytearray(7 + len(frame) + 2)
    assert seal(message, len(content), out, 7) == len(frame), content
    assert out == bytes(7) + frame + bytes(2), content
    body = frame[1:-1]
    opened = bytearray(len(body))
    assert unseal(body, len(body), opened) == len(content), content
    assert opened[: len(content)] == content


with open(sys.argv[2], "rb") as file:
    count = 0
    while head := file.read(4):
        content_size, frame_size = struct.unpack("<HH", head)
        content = file.read(content_size)
        frame = file.read(frame_size)
        check(seal, inbox.unseal, content, frame)
        check(frames.seal, frames.unseal, content, frame)
        count += 1

target = bytearray(8)
assert frame_kernels.copy_into(b"abcdef", 4, target, 3) == 7
assert target == b"\0\0\0abcd\0"
print(count, "vectors ok")

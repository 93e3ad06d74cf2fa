"""On MicroPython: 32-bit words narrowed to 16 bits, against Python's own arithmetic."""

import sys

sys.path.insert(0, sys.argv[1])

import random
import struct

from ear.audio import mic_kernels

random.seed(1)
values = [0, 1, -1, 2**31 - 1, -(2**31), 65535, 65536, -65536, 32767 << 14, -32768 << 14]
values += [random.getrandbits(30) * 4 - 2**31 for _ in range(500)]
values += [value >> 8 for value in values]

source = bytearray(4 * len(values))
for index, value in enumerate(values):
    struct.pack_into("<i", source, 4 * index, value)
hop = bytearray(2 * len(values))
for shift in range(1, 17):
    mic_kernels.narrow(source, hop, len(values), shift)
    for index, value in enumerate(values):
        expected = min(max(value >> shift, -32768), 32767)
        got = struct.unpack_from("<h", hop, 2 * index)[0]
        assert got == expected, (value, shift, got, expected)
print("ok")

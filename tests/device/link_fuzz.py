"""On MicroPython: the device's decoder over a file of spoilt frames.

Arguments: the firmware's folder, the file, and a file for the accepted frames, each as kind
u8, sequence u16, missed u16, length u16 and payload. Prints how many bytes were garbage.
"""

import struct
import sys

sys.path.insert(0, sys.argv[1])

from ear.link.frames import FRAME, Decoder
from ear.link.inbox import unseal

decoder = Decoder(unseal)
push = decoder.push
chunk = bytearray(16384)
with open(sys.argv[2], "rb") as spoilt, open(sys.argv[3], "wb") as accepted:
    while size := spoilt.readinto(chunk):
        for index in range(size):
            if push(chunk[index]) == FRAME:
                length = decoder.length
                accepted.write(
                    struct.pack("<BHHH", decoder.kind, decoder.sequence, decoder.missed, length)
                )
                accepted.write(decoder.payload[:length])
print(decoder.garbage)

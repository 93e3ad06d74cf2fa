"""On MicroPython: the ADPCM kernel over a file of int16 samples, hop by hop.

Writes the codes to the second file named; the kernel must equal its plain twin throughout.
"""

import sys

sys.path.insert(0, sys.argv[1])

from ear.privacy import adpcm, adpcm_kernels

HOP = 160

with open(sys.argv[2], "rb") as file:
    samples = file.read()
count = len(samples) // 2 // HOP
fast, plain = adpcm.new_state(), adpcm.new_state()
codes, twin = bytearray(HOP // 2), bytearray(HOP // 2)
with open(sys.argv[3], "wb") as file:
    for hop in range(count):
        piece = samples[2 * HOP * hop : 2 * HOP * (hop + 1)]
        adpcm_kernels.encode(piece, codes, fast, HOP)
        adpcm.encode(piece, twin, plain, HOP)
        assert (codes, fast) == (twin, plain), hop
        file.write(codes)
print("ok")

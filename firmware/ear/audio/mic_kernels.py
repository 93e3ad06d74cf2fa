"""The microphone's hot loop."""

import micropython


@micropython.viper
def narrow(source: ptr16, hop: ptr16, count: int, shift: int):
    """Turn ``count`` 32-bit samples into 16-bit ones: an arithmetic shift, then saturation.

    source: int32 little-endian, read as pairs of 16-bit halves, so that the word size of the
        runtime doesn't matter; hop: int16 little-endian; shift: 1..16.
    Exact with min(max(sample >> shift, -32768), 32767).
    """
    while count > 0:
        high = (source[1] ^ 32768) - 32768
        value = (high << (16 - shift)) + (source[0] >> shift)
        if value > 32767:
            value = 32767
        if value < -32768:
            value = -32768
        hop[0] = value
        source = ptr16(int(source) + 4)
        hop = ptr16(int(hop) + 2)
        count -= 1

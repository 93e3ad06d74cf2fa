"""The hot loops of the cipher."""

import micropython


@micropython.viper
def xor(data: ptr8, stream: ptr8, count: int):
    """data[i] ^= stream[i] for i below ``count``, in place; allocates nothing."""
    place = 0
    while place < count:
        data[place] ^= stream[place]
        place += 1


@micropython.viper
def number(counters: ptr8, sequence: int, size: int):
    """Write ``sequence``, 0..65535, big-endian to bytes 10 and 11 of each 16 of ``counters``.

    size: of the counters, in bytes; allocates nothing.
    """
    place = 10
    while place < size:
        counters[place] = sequence >> 8
        counters[place + 1] = sequence
        place += 16

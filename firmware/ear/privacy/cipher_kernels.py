"""The hot loop of the cipher."""

import micropython


@micropython.viper
def xor(data: ptr8, stream: ptr8, count: int):
    """data[i] ^= stream[i] for i below ``count``, in place; allocates nothing."""
    place = 0
    while place < count:
        data[place] ^= stream[place]
        place += 1

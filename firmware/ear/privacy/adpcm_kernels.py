"""The hot loop of IMA ADPCM."""

import micropython


@micropython.viper
def encode(samples: ptr16, codes: ptr8, state: ptr16, count: int):
    """Encode ``count`` samples (even) into count / 2 bytes.

    samples: int16 little-endian; codes: two 4-bit codes a byte, the first in the low half;
    state: [predictor + 32768, index 0..88], carried on from call to call, then the 89 steps.
    Exact with ``adpcm.encode``; allocates nothing.
    """
    predictor = int(state[0])
    index = int(state[1])
    place = 0
    low = 0
    while place < count:
        difference = (samples[place] ^ 32768) - predictor
        step = int(state[index + 2])
        code = 0
        change = step >> 3
        if difference < 0:
            code = 8
            difference = 0 - difference
        if difference >= step:
            code += 4
            difference -= step
            change += step
        step >>= 1
        if difference >= step:
            code += 2
            difference -= step
            change += step
        step >>= 1
        if difference >= step:
            code += 1
            change += step
        if code & 8:
            predictor -= change
            if predictor < 0:
                predictor = 0
        else:
            predictor += change
            if predictor > 65535:
                predictor = 65535
        if code & 4:
            index += 2 * (code & 3) + 2
            if index > 88:
                index = 88
        elif index > 0:
            index -= 1
        if place & 1:
            codes[place >> 1] = low + (code << 4)
        else:
            low = code
        place += 1
    state[0] = predictor
    state[1] = index

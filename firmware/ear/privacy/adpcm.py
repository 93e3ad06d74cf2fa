"""IMA ADPCM: 16-bit samples in 4 bits each.

The algorithm of the Interactive Multimedia Association's "Recommended Practices for Enhancing
Digital Audio Compatibility in Multimedia Systems" (3.0, 1992), with the nibble order of WAV
files: the first sample of a pair in the low half of the byte.

Plain Python: the reference for ``adpcm_kernels``, and the host's decoder.
"""

from array import array

STEPS = array("H", [7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45])
STEPS.extend(array("H", [50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209]))
STEPS.extend(array("H", [230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796]))
STEPS.extend(array("H", [876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499]))
STEPS.extend(array("H", [2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845]))
STEPS.extend(array("H", [8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350]))
STEPS.extend(array("H", [22385, 24623, 27086, 29794, 32767]))

_LAST = 88  # the highest index into STEPS
_BIAS = 32768


def new_state():
    """A coder's state: [predictor + 32768, index into STEPS], then STEPS for the kernel."""
    state = array("H", [_BIAS, 0])
    state.extend(STEPS)
    return state


def encode(samples, codes, state, count):
    """Encode ``count`` samples (even), int16 little-endian bytes, into count / 2 bytes."""
    for place in range(count):
        sample = (samples[2 * place] | samples[2 * place + 1] << 8) ^ _BIAS
        code = _code(sample - state[0], STEPS[state[1]])
        _follow(state, code)
        if place & 1:
            codes[place >> 1] |= code << 4
        else:
            codes[place >> 1] = code


def decode(codes, samples, state, count):
    """Decode ``count`` samples (even) from count / 2 bytes into int16 little-endian bytes."""
    for place in range(count):
        code = codes[place >> 1] >> (4 * (place & 1)) & 15
        _follow(state, code)
        value = state[0] ^ _BIAS
        samples[2 * place] = value & 255
        samples[2 * place + 1] = value >> 8


def _code(difference, step):
    """The sign bit and three magnitude bits that come nearest to a difference from below."""
    code = 0
    if difference < 0:
        code = 8
        difference = -difference
    for bit in (4, 2, 1):
        if difference >= step:
            code |= bit
            difference -= step
        step >>= 1
    return code


def _follow(state, code):
    """Move the state to where the decoder is after this code."""
    step = STEPS[state[1]]
    change = step >> 3
    if code & 4:
        change += step
    if code & 2:
        change += step >> 1
    if code & 1:
        change += step >> 2
    value = state[0] - change if code & 8 else state[0] + change
    state[0] = min(max(value, 0), 65535)
    index = state[1] + (2 * (code & 3) + 2 if code & 4 else -1)
    state[1] = min(max(index, 0), _LAST)

"""The spotter's hot loops: int8 layers on unsigned bytes, exact with TFLM's reference kernels.

Every activation and weight is a byte that holds its int8 value plus 128. Each layer is
(x, w, p, y): where its inputs are, its weights, its parameters, where its outputs go. Sums fit in
29 bits and a sign; the model's compiler makes sure of it.

A sum ``s`` becomes an output as in TFLM's MultiplyByQuantizedMultiplier with both roundings:
v = (s * m + 2**30) >> 31; v rounded to a multiple of 2**r, halves away from zero, over 2**r;
plus the zero point; kept within 0..255. It is computed as floor(s * m / 2**30) from 15-bit
halves: s enters 2**30 too large, so that the halves are not negative, and m is stored as two
halfwords, its low 15 bits and the rest. p[2] is r - 1, and ``zero`` twice the zero point plus one.

Why it is written like this: viper keeps only a function's first two arguments in registers, and
spills whatever a statement holds while it loads. So the hottest pointer and the running sum take
those two places (the sum in a pointer's variable: casts cost nothing), each product is a statement
of its own, loops are unrolled and count down to zero. ptr32 loads don't extend the sign on a
64-bit runtime: what is stored is never negative.
"""

import micropython


@micropython.viper
def conv(s: ptr8, w: ptr8, p: ptr32, y: ptr8):
    """Fully connected: n outputs, each from all k inputs.

    s: k bytes, the inputs (k a multiple of 16; inputs past the layer's own meet zero weights);
    w: n rows of k bytes; p: 8 words (k, n, zero), then 4 words a row (bias, m, r - 1, unused),
    where bias is TFLM's, less the inputs' zero point times the row's sum, plus 2**30; y: n bytes.
    """
    depth = p[0]
    left = p[1]
    zero = p[2]
    p = ptr32(int(p) + 32)
    start = int(s)
    x = ptr8(start)
    s = ptr8(0)
    k = depth
    while k:
        s = ptr8(
            x[0] + x[1] + x[2] + x[3] + x[4] + x[5] + x[6] + x[7]
            + x[8] + x[9] + x[10] + x[11] + x[12] + x[13] + x[14] + x[15] + int(s)
        )  # fmt: skip
        x = ptr8(int(x) + 16)
        k -= 16
    total = int(s) << 7  # what the weights' 128 adds to every sum
    while left:
        s = ptr8(p[0] - total)
        x = ptr8(start)
        if depth & 16:
            s = ptr8(w[0] * x[0] + int(s))
            s = ptr8(w[1] * x[1] + int(s))
            s = ptr8(w[2] * x[2] + int(s))
            s = ptr8(w[3] * x[3] + int(s))
            s = ptr8(w[4] * x[4] + int(s))
            s = ptr8(w[5] * x[5] + int(s))
            s = ptr8(w[6] * x[6] + int(s))
            s = ptr8(w[7] * x[7] + int(s))
            s = ptr8(w[8] * x[8] + int(s))
            s = ptr8(w[9] * x[9] + int(s))
            s = ptr8(w[10] * x[10] + int(s))
            s = ptr8(w[11] * x[11] + int(s))
            s = ptr8(w[12] * x[12] + int(s))
            s = ptr8(w[13] * x[13] + int(s))
            s = ptr8(w[14] * x[14] + int(s))
            s = ptr8(w[15] * x[15] + int(s))
            x = ptr8(int(x) + 16)
            w = ptr8(int(w) + 16)
        k = depth >> 5
        while k:
            s = ptr8(w[0] * x[0] + int(s))
            s = ptr8(w[1] * x[1] + int(s))
            s = ptr8(w[2] * x[2] + int(s))
            s = ptr8(w[3] * x[3] + int(s))
            s = ptr8(w[4] * x[4] + int(s))
            s = ptr8(w[5] * x[5] + int(s))
            s = ptr8(w[6] * x[6] + int(s))
            s = ptr8(w[7] * x[7] + int(s))
            s = ptr8(w[8] * x[8] + int(s))
            s = ptr8(w[9] * x[9] + int(s))
            s = ptr8(w[10] * x[10] + int(s))
            s = ptr8(w[11] * x[11] + int(s))
            s = ptr8(w[12] * x[12] + int(s))
            s = ptr8(w[13] * x[13] + int(s))
            s = ptr8(w[14] * x[14] + int(s))
            s = ptr8(w[15] * x[15] + int(s))
            s = ptr8(w[16] * x[16] + int(s))
            s = ptr8(w[17] * x[17] + int(s))
            s = ptr8(w[18] * x[18] + int(s))
            s = ptr8(w[19] * x[19] + int(s))
            s = ptr8(w[20] * x[20] + int(s))
            s = ptr8(w[21] * x[21] + int(s))
            s = ptr8(w[22] * x[22] + int(s))
            s = ptr8(w[23] * x[23] + int(s))
            s = ptr8(w[24] * x[24] + int(s))
            s = ptr8(w[25] * x[25] + int(s))
            s = ptr8(w[26] * x[26] + int(s))
            s = ptr8(w[27] * x[27] + int(s))
            s = ptr8(w[28] * x[28] + int(s))
            s = ptr8(w[29] * x[29] + int(s))
            s = ptr8(w[30] * x[30] + int(s))
            s = ptr8(w[31] * x[31] + int(s))
            x = ptr8(int(x) + 32)
            w = ptr8(int(w) + 32)
            k -= 1
        low = int(s) & 32767
        s = ptr8(int(s) >> 15)
        ml = ptr16(int(p))[2]
        mh = ptr16(int(p))[3]
        cross = ml * int(s) + mh * low + (ml * low >> 15)
        s = ptr8((int(s) - 32768) * mh + int(uint(cross) >> 15) - ml + 1 >> 1)
        s = ptr8(((int(s) >> 31) + int(s) >> p[2]) + zero >> 1)
        if int(s) >> 8:
            s = ptr8(255 if int(s) > 0 else 0)
        y[0] = int(s)
        y = ptr8(int(y) + 1)
        p = ptr32(int(p) + 16)
        left -= 1


@micropython.viper
def depthwise(x: ptr8, w: ptr8, p: ptr32, y: ptr8):
    """Each channel's taps over time, four channels at a time.

    x: rows of inputs, ``pitch`` bytes from one to the next; w: the same for the weights, ``width``
    bytes from row to row, a multiple of 16 (up to 3 bytes past the last channel are read);
    p: 8 words (taps, channels, zero, pitch, width, narrow), then 4 words a channel (bias as in
    conv, m, r - 1, and the bias for inputs less 128); y: the outputs. The last of each are for
    vector units: ``narrow`` is 1 if sums over inputs less 128 fit in 20 bits, sign included.
    """
    taps = p[0]
    left = p[1]
    zero = p[2]
    pitch = p[3]
    width = p[4]
    p = ptr32(int(p) + 32)
    x0 = int(x)
    w0 = int(w)
    while left:
        s0 = s1 = s2 = s3 = 0
        x = ptr8(x0)
        w = ptr8(w0)
        k = taps
        while k:
            s0 = (w[0] - 128) * x[0] + s0
            s1 = (w[1] - 128) * x[1] + s1
            s2 = (w[2] - 128) * x[2] + s2
            s3 = (w[3] - 128) * x[3] + s3
            x = ptr8(int(x) + pitch)
            w = ptr8(int(w) + width)
            k -= 1
        x0 += 4
        w0 += 4
        k = 4 if left > 4 else left
        left -= k
        while k:
            x = ptr8(p[0] + s0)
            s0 = s1
            s1 = s2
            s2 = s3
            low = int(x) & 32767
            x = ptr8(int(x) >> 15)
            ml = ptr16(int(p))[2]
            mh = ptr16(int(p))[3]
            cross = ml * int(x) + mh * low + (ml * low >> 15)
            x = ptr8((int(x) - 32768) * mh + int(uint(cross) >> 15) - ml + 1 >> 1)
            x = ptr8(((int(x) >> 31) + int(x) >> p[2]) + zero >> 1)
            if int(x) >> 8:
                x = ptr8(255 if int(x) > 0 else 0)
            y[0] = int(x)
            y = ptr8(int(y) + 1)
            p = ptr32(int(p) + 16)
            k -= 1


@micropython.viper
def add(x: ptr8, w: ptr8, p: ptr32, y: ptr8):
    """The sum of two inputs of different scales, byte by byte.

    x and w: n bytes each, both inputs; p: 8 words (0, n, zero), 4 words (unused, m, r - 1,
    unused), then 256 words for x and 256 for w: each value on the common scale, plus 2**29.
    """
    left = p[1]
    zero = p[2]
    p = ptr32(int(p) + 32)
    table = ptr32(int(p) + 16)
    x0 = int(x)
    while left:
        x = ptr8(table[ptr8(x0)[0]] + table[w[0] + 256])
        low = int(x) & 32767
        x = ptr8(int(x) >> 15)
        ml = ptr16(int(p))[2]
        mh = ptr16(int(p))[3]
        cross = ml * int(x) + mh * low + (ml * low >> 15)
        x = ptr8((int(x) - 32768) * mh + int(uint(cross) >> 15) - ml + 1 >> 1)
        x = ptr8(((int(x) >> 31) + int(x) >> p[2]) + zero >> 1)
        if int(x) >> 8:
            x = ptr8(255 if int(x) > 0 else 0)
        y[0] = int(x)
        y = ptr8(int(y) + 1)
        w = ptr8(int(w) + 1)
        x0 += 1
        left -= 1


@micropython.viper
def clamp(y: ptr8, lowest: int, highest: int, count: int):
    """Keep ``count`` bytes within lowest..highest."""
    while count:
        if y[0] < lowest:
            y[0] = lowest
        if y[0] > highest:
            y[0] = highest
        y = ptr8(int(y) + 1)
        count -= 1


@micropython.viper
def shift(arena: ptr32, regions: ptr32, count: int):
    """Move the rows that each region keeps to its beginning, so that new ones find their place.

    regions: 4 words each: offset, bytes kept, bytes that fall out, unused; all multiples of 4.
    """
    base = int(arena)
    while count:
        arena = ptr32(base + regions[0])
        source = ptr32(int(arena) + regions[2])
        left = regions[1]
        while left & 31:
            arena[0] = source[0]
            arena = ptr32(int(arena) + 4)
            source = ptr32(int(source) + 4)
            left -= 4
        while left:
            arena[0] = source[0]
            arena[1] = source[1]
            arena[2] = source[2]
            arena[3] = source[3]
            arena[4] = source[4]
            arena[5] = source[5]
            arena[6] = source[6]
            arena[7] = source[7]
            arena = ptr32(int(arena) + 32)
            source = ptr32(int(source) + 32)
            left -= 32
        regions = ptr32(int(regions) + 16)
        count -= 1


@micropython.viper
def transfer(source: ptr8, to: ptr8, count: int):
    """Copy ``count`` bytes."""
    while count & 7:
        to[0] = source[0]
        source = ptr8(int(source) + 1)
        to = ptr8(int(to) + 1)
        count -= 1
    while count:
        to[0] = source[0]
        to[1] = source[1]
        to[2] = source[2]
        to[3] = source[3]
        to[4] = source[4]
        to[5] = source[5]
        to[6] = source[6]
        to[7] = source[7]
        source = ptr8(int(source) + 8)
        to = ptr8(int(to) + 8)
        count -= 8

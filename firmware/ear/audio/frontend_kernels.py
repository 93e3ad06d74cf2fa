"""The front end's hot loops: TensorFlow Lite Micro's micro front end in 32-bit integers.

Each kernel is exact with its function of TFLM (tensorflow/lite/experimental/microfrontend, and
Kiss FFT in 16-bit fixed point), on 32- and on 64-bit words: no intermediate result that matters
needs more than 32 bits, and none is negative where it is loaded from memory. So 16-bit samples
are kept plus 32768 ("biased"); the bias vanishes in rounding constants.

The first two parameters of a viper function live in registers. Some kernels have their two
hottest locals there: callers pass 0.
"""

import micropython
from micropython import const

# (x * 8191 + 16384) >> 15 is Kiss FFT's division by 4, with 16383 by 2. What to subtract or add
# instead of 16384 when x is biased; when x and the result are; when x is biased and negated.
_UNBIAS_4 = const(32768 * 8191 - 16384)
_KEEP_BIAS_4 = const(16384 + 32768 * (32768 - 8191))
_UNBIAS_2 = const(32768 * 16383 - 16384)
_NEGATE_2 = const(32768 * 16383 + 16384)
# Noise reduction, in 1/16384: smoothing of even and odd channels, the least that remains.
_EVEN = const(409)
_ODD = const(983)
_REMAINS = const(819)
_LN2 = const(22713)  # in 1/32768


@micropython.viper
def slide(sample: int, highest: int, history: ptr32, hop: ptr16) -> int:
    """Drop the oldest 160 of 480 samples and append a hop; its peak, max |sample|, 0..32767.

    history: 480 biased samples, two a word; hop: 160 samples, int16.
    """
    n = 20
    while n:
        history[0] = history[80]
        history[1] = history[81]
        history[2] = history[82]
        history[3] = history[83]
        history[4] = history[84]
        history[5] = history[85]
        history[6] = history[86]
        history[7] = history[87]
        history = ptr32(int(history) + 32)
        n -= 1
    newest = ptr16(history)
    highest = lowest = 32768
    n = 80
    while n:
        sample = hop[0] ^ 32768
        newest[0] = sample
        if sample > highest:
            highest = sample
        if sample < lowest:
            lowest = sample
        sample = hop[1] ^ 32768
        newest[1] = sample
        if sample > highest:
            highest = sample
        if sample < lowest:
            lowest = sample
        hop = ptr16(int(hop) + 4)
        newest = ptr16(int(newest) + 4)
        n -= 1
    highest -= 32768
    lowest = 32768 - lowest
    if lowest > highest:
        highest = lowest
    if highest > 32767:
        highest = 32767
    return highest


@micropython.viper
def window(
    value: int, squares: int, x: ptr16, coefficients: ptr16, digits: ptr8, data: ptr16
) -> int:
    """Window 480 samples into the FFT's order; how far they are to be shifted left, 0..15.

    x: biased; coefficients: 0..4096; digits: 60 group numbers with their base-4 digits reversed;
    data: 256 complex numbers (real, imaginary), biased, set here, not shifted yet.
    Exact with WindowProcessSamples and the start of FftCompute. Only the bit length of the
    largest magnitude is wanted, so squares are or-ed. In C the magnitude of -32768 overflows,
    hence doesn't count, and a shift makes it 0.
    """
    squares = 0
    n = 60
    while n:
        p = ptr16(int(data) + (digits[0] << 2))
        value = ((x[0] - 32768) * coefficients[0]) >> 12
        squares = value * value | squares
        p[0] = value + 32768
        value = ((x[1] - 32768) * coefficients[1]) >> 12
        squares = value * value | squares
        p[1] = value + 32768
        value = ((x[2] - 32768) * coefficients[2]) >> 12
        squares = value * value | squares
        p[128] = value + 32768
        value = ((x[3] - 32768) * coefficients[3]) >> 12
        squares = value * value | squares
        p[129] = value + 32768
        p = ptr16(int(p) + 512)
        value = ((x[4] - 32768) * coefficients[4]) >> 12
        squares = value * value | squares
        p[0] = value + 32768
        value = ((x[5] - 32768) * coefficients[5]) >> 12
        squares = value * value | squares
        p[1] = value + 32768
        value = ((x[6] - 32768) * coefficients[6]) >> 12
        squares = value * value | squares
        p[128] = value + 32768
        value = ((x[7] - 32768) * coefficients[7]) >> 12
        squares = value * value | squares
        p[129] = value + 32768
        x = ptr16(int(x) + 16)
        coefficients = ptr16(int(coefficients) + 16)
        digits = ptr8(int(digits) + 1)
        n -= 1
    p = ptr16(int(data) + (15 << 2))  # groups 60 to 63 have no samples
    n = 4
    while n:
        p[0] = 32768
        p[1] = 32768
        p[128] = 32768
        p[129] = 32768
        q = ptr16(int(p) + 512)
        q[0] = 32768
        q[1] = 32768
        q[128] = 32768
        q[129] = 32768
        p = ptr16(int(p) + 64)
        n -= 1
    overflow = squares >> 30
    squares &= 0x3FFFFFFF
    value = 15
    while squares:
        squares >>= 2
        value -= 1
    if overflow and value:
        n = 512
        while n:
            if data[0] == 0:
                data[0] = 32768
            data = ptr16(int(data) + 2)
            n -= 1
    return value


@micropython.viper
def fft_first(a: int, b: int, data: ptr16, shift: int):
    """The first of the FFT's four stages: 64 butterflies of neighbours, all factors 1.

    data: 256 complex numbers, biased, to be shifted left by `shift` first.
    Exact with kf_bfly4 of Kiss FFT, input as FftCompute scales it.
    """
    scale = 8191 << shift
    offset = 16384 - (scale << 15)
    n = 64
    while n:
        r1 = (data[2] * scale + offset) >> 15
        i1 = (data[3] * scale + offset) >> 15
        r2 = (data[4] * scale + offset) >> 15
        i2 = (data[5] * scale + offset) >> 15
        r3 = (data[6] * scale + offset) >> 15
        i3 = (data[7] * scale + offset) >> 15
        a = ((data[0] * scale + offset) >> 15) + 32768
        b = ((data[1] * scale + offset) >> 15) + 32768
        data[0] = r2 + a + r1 + r3
        data[1] = i2 + b + i1 + i3
        data[2] = i1 + a - r2 - i3
        data[3] = r3 + b - i2 - r1
        data[4] = r2 + a - r1 - r3
        data[5] = i2 + b - i1 - i3
        data[6] = i3 + a - r2 - i1
        data[7] = r1 + b - i2 - r3
        data = ptr16(int(data) + 16)
        n -= 1


@micropython.viper
def fft_next(a: int, b: int, data: ptr16, twiddles: ptr32, m: int, groups: int):
    """One more stage of the FFT: 64 butterflies over numbers that are m apart.

    data: 256 complex numbers, biased, in place; m: 4, 16, 64;
    twiddles: 64 triples of factors as (real, imaginary), int32 (those of m = 64).
    Exact with kf_bfly4 of Kiss FFT. On 64-bit words a negative factor is loaded as 2**32 more;
    what that adds lies above the 16 bits that are stored.
    """
    side = m << 2
    step = 24 * groups
    p = data
    q = ptr16(int(p) + side)
    r = ptr16(int(q) + side)
    s = ptr16(int(r) + side)
    while groups:
        w = twiddles
        k = m
        while k:
            a = (q[0] * 8191 - _UNBIAS_4) >> 15
            b = (q[1] * 8191 - _UNBIAS_4) >> 15
            r1 = (w[0] * a - w[1] * b + 16384) >> 15
            i1 = (w[1] * a + w[0] * b + 16384) >> 15
            a = (r[0] * 8191 - _UNBIAS_4) >> 15
            b = (r[1] * 8191 - _UNBIAS_4) >> 15
            r2 = (w[2] * a - w[3] * b + 16384) >> 15
            i2 = (w[3] * a + w[2] * b + 16384) >> 15
            a = (s[0] * 8191 - _UNBIAS_4) >> 15
            b = (s[1] * 8191 - _UNBIAS_4) >> 15
            r3 = (w[4] * a - w[5] * b + 16384) >> 15
            i3 = (w[5] * a + w[4] * b + 16384) >> 15
            a = (p[0] * 8191 + _KEEP_BIAS_4) >> 15
            b = (p[1] * 8191 + _KEEP_BIAS_4) >> 15
            p[0] = r2 + a + r1 + r3
            p[1] = i2 + b + i1 + i3
            q[0] = i1 + a - r2 - i3
            q[1] = r3 + b - i2 - r1
            r[0] = r2 + a - r1 - r3
            r[1] = i2 + b - i1 - i3
            s[0] = i3 + a - r2 - i1
            s[1] = r1 + b - i2 - r3
            p = ptr16(int(p) + 4)
            q = ptr16(int(q) + 4)
            r = ptr16(int(r) + 4)
            s = ptr16(int(s) + 4)
            w = ptr32(int(w) + step)
            k -= 1
        p = s
        q = ptr16(int(p) + side)
        r = ptr16(int(q) + side)
        s = ptr16(int(r) + side)
        groups -= 1


@micropython.viper
def energies(a: int, b: int, data: ptr16, twiddles: ptr16, bins: ptr32):
    """Energies of the real FFT's bins 5..251 from the complex FFT of 256.

    data: 256 complex numbers, biased; twiddles: (-real, -imaginary) for bins 5..128, never
    negative; bins: 247, each below 2**31.
    Exact with kiss_fftr and FilterbankConvertFftComplexToEnergy.
    """
    p = ptr16(int(data) + 20)
    q = ptr16(int(data) + 1004)
    mirrored = ptr32(int(bins) + 984)
    n = 124
    while n:
        a = (p[0] * 16383 - _UNBIAS_2) >> 15
        b = (q[0] * 16383 - _UNBIAS_2) >> 15
        real = b + a
        a -= b
        imaginary = (p[1] * 16383 - _UNBIAS_2) >> 15
        b = (_NEGATE_2 - q[1] * 16383) >> 15
        x = imaginary - b
        imaginary += b
        b = x
        x = (twiddles[1] * b - twiddles[0] * a + 16384) >> 15
        y = (16384 - twiddles[1] * a - twiddles[0] * b) >> 15
        a = (real + x) >> 1
        b = (imaginary + y) >> 1
        bins[0] = a * a + b * b
        a = (real - x) >> 1
        b = (y - imaginary) >> 1
        mirrored[0] = a * a + b * b
        p = ptr16(int(p) + 4)
        q = ptr16(int(q) - 4)
        twiddles = ptr16(int(twiddles) + 4)
        bins = ptr32(int(bins) + 4)
        mirrored = ptr32(int(mirrored) - 4)
        n -= 1


@micropython.viper
def filterbank(bins: ptr32, x: int, weights: ptr16, widths: ptr8, sums: ptr32):
    """Weighted sums of energies for the 40 channels.

    bins: energies of bins 5..240, all together below 2**28 (as a window of 16-bit samples
    yields); weights: 0..4096 for each, the rest to 4096 counts in the next channel;
    widths: of 41 bands; sums: for each channel sum >> 14, sum & 16383.
    Exact with FilterbankAccumulateChannels.
    """
    rest_high = rest_low = 0
    bands = 41
    while bands:
        high = rest_high
        low = rest_low
        total = 0
        n = widths[0]
        while n:
            x = bins[0]
            high = (x >> 14) * weights[0] + high
            low = (x & 16383) * weights[0] + low
            total += x
            bins = ptr32(int(bins) + 4)
            weights = ptr16(int(weights) + 2)
            n -= 1
        rest_high = ((total >> 14) << 12) - high + rest_high
        rest_low = ((total & 16383) << 12) - low + rest_low
        if bands < 41:
            sums[0] = high + (low >> 14)
            sums[1] = low & 16383
            sums = ptr32(int(sums) + 8)
        widths = ptr8(int(widths) + 1)
        bands -= 1


@micropython.viper
def square_roots(root: int, rest: int, sums: ptr32, table: ptr32, shift: int, levels: ptr32):
    """Roots of the 40 sums, rounded to the nearest, then shifted right.

    sums: for each channel sum >> 14, sum & 16383; the sums are below 2**40;
    table: floor(65536 * sqrt(n)) for n in 0..256; shift: 0..15; levels: set here, below 2**20.
    Exact with FilterbankSqrt, which doesn't round 65535.x up if the sum is below 2**32.
    The table is interpolated at the sum's upper 22 bits, which never yields too much; the last
    few steps up need only the lower 28 bits of what is left.
    """
    channels = 40
    while channels:
        high = sums[0]
        low = sums[1]
        rest = (high << 14) | low
        drop = 9
        if high < 256:  # below 2**22: take the root of 2**20 times as much
            high = rest << 6
            low = 0
            drop = 19
        top = high
        bits = 0  # even, such that 64 <= top = high >> bits < 256
        if top >= 65536:
            top >>= 10
            bits = 10
        if top >= 4096:
            top >>= 6
            bits += 6
        if top >= 1024:
            top >>= 4
            bits += 4
        if top >= 256:
            top >>= 2
            bits += 2
        low = high >> (bits - 14) if bits > 14 else (high << (14 - bits)) | (low >> bits)
        low &= 16383
        entry = ptr32(int(table) + (top << 2))
        root = ((((entry[1] - entry[0]) * low) >> 14) + entry[0]) >> (drop - (bits >> 1))
        rest = (rest - root * root) & 0xFFFFFFF
        while rest > root:
            rest -= root + root + 1
            root += 1
        if root == 65536 and sums[0] < 262144:
            root = 65535
        levels[0] = root >> shift
        levels = ptr32(int(levels) + 4)
        sums = ptr32(int(sums) + 8)
        channels -= 1


@micropython.viper
def reduce_noise(level: int, estimate: int, levels: ptr32, noise: ptr32):
    """Follow each channel's noise, and subtract it from the channel's level.

    levels: 40, below 2**20, in place; noise: 40 estimates in 1/1024, in place.
    Exact with NoiseReductionApply.
    """
    channels = 40
    while channels:
        level = levels[0]
        estimate = noise[0]
        smoothing = _EVEN
        if channels & 1:
            smoothing = _ODD
        change = (level << 10) - estimate
        estimate += (change >> 14) * smoothing + (((change & 16383) * smoothing) >> 14)
        noise[0] = estimate
        least = (level * _REMAINS) >> 14
        level = ((level << 10) - estimate) >> 10
        if level < least:
            level = least
        levels[0] = level
        levels = ptr32(int(levels) + 4)
        noise = ptr32(int(noise) + 4)
        channels -= 1


@micropython.viper
def control_gain(x: int, bits: int, levels: ptr32, noise: ptr32, gains: ptr16, exponents: ptr8):
    """Multiply each channel's level by a gain that falls with its noise, then compress it.

    levels: 40, below 2**20, in place; noise: 40 estimates, below 2**31; gains: the table GAINS;
    exponents: floor(log2(n)) for n in 0..255.
    Exact with PcanGainControlApply.
    """
    channels = 40
    while channels:
        x = noise[0]
        if x < 2:
            gain = gains[x]
        else:
            bits = -1
            if x >= 65536:
                x >>= 16
                bits = 15
            if x >= 256:
                x >>= 8
                bits += 8
            bits += exponents[x]
            x = noise[0] << (9 - bits) if bits < 9 else noise[0] >> (bits - 9)
            x &= 1023
            entry = ptr16(bits * 6 + int(gains))
            gain = (((entry[4] - 2) * x) >> 5) - (entry[3] << 5)
            gain = ((gain * x + 16384) >> 15) + entry[2]
        x = levels[0]
        x = (x >> 6) * gain + (((x & 63) * gain) >> 6)
        levels[0] = (x * x) >> 20 if x < 8192 else (x >> 6) - 64
        levels = ptr32(int(levels) + 4)
        noise = ptr32(int(noise) + 4)
        channels -= 1


@micropython.viper
def logarithms(x: int, bits: int, levels: ptr32, table: ptr16, exponents: ptr8, raw: ptr16):
    """64 times the natural logarithm of 8 times each level.

    levels: 40, below 2**26; table: the table LOGARITHMS; exponents: floor(log2(n)) for n in
    0..255; raw: set here. Exact with LogScaleApply.
    """
    channels = 40
    while channels:
        x = levels[0] << 3
        if x:
            bits = 0
            if x >= 65536:
                x >>= 16
                bits = 16
            if x >= 256:
                x >>= 8
                bits += 8
            bits += exponents[x]
            x = (levels[0] << 3) - (1 << bits)
            if bits < 16:
                x <<= 16 - bits
            else:
                x >>= bits - 16
            entry = ptr16(int(table) + ((x >> 9) << 1))
            x += (((entry[1] - entry[0]) * (x & 511)) >> 16) + entry[0]
            x = bits * (2 * _LN2) + ((x * _LN2 + 16384) >> 15)
            x = ((x << 6) + 32768) >> 16
        raw[0] = x
        levels = ptr32(int(levels) + 4)
        raw = ptr16(int(raw) + 2)
        channels -= 1


@micropython.viper
def quantise(raw: ptr16, features: ptr8):
    """Scale 40 raw features to what microWakeWord models take, int8 + 128.

    Exact with ESPHome's clamp((raw * 256 + 333) / 666, 0, 255), for any raw of 16 bits.
    """
    n = 40
    while n:
        value = 255
        if raw[0] < 663:
            value = (raw[0] * 25191 + 32768) >> 16
        features[0] = value
        raw = ptr16(int(raw) + 2)
        features = ptr8(int(features) + 1)
        n -= 1

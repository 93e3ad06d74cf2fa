# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""The front end's kernels in plain Xtensa instructions, without the vector unit.

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Each
kernel does exactly what its twin of the same name in ear/audio/frontend_kernels.py does, with the
same arguments: small integers, of the buffers their addresses.
"""

import micropython

BIAS = 32768
ROUND = 1 << 14  # a half, in 15 fractional bits
UNBIAS_4 = 32768 * 8191 - ROUND
UNBIAS_2 = 32768 * 16383 - ROUND
EVEN = 409  # noise reduction, in 1/16384
ODD = 983
REMAINS = 819
LN2 = 22713  # in 1/32768


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def result(register):
    """Return a number."""
    slli(a2, register, 1)
    addi_n(a2, a2, 1)


@micropython.asm_xtensa
def slide():
    """slide(_, _, history, hop) -> peak

    a2 history  a3 hop  a6 highest  a7 lowest  a8 bias
    """
    argument(a2, 2)
    argument(a3, 3)
    movi_n(a9, 40)
    loop(a9, MOVED)
    for i in range(4):
        l32i(a10, a2, 320 + 4 * i)
        s32i(a10, a2, 4 * i)
    addi(a2, a2, 16)
    label(MOVED)
    movi_n(a6, 0)
    movi_n(a7, 0)
    movi(a8, BIAS)
    movi(a9, 80)
    loop(a9, TAKEN)
    for i in range(2):
        l16si(a10, a3, 2 * i)
        max_(a6, a6, a10)
        min_(a7, a7, a10)
        add_n(a10, a10, a8)
        s16i(a10, a2, 2 * i)
    addi_n(a2, a2, 4)
    addi_n(a3, a3, 4)
    label(TAKEN)
    neg(a7, a7)
    max_(a6, a6, a7)
    addi_n(a8, a8, -1)
    min_(a6, a6, a8)
    result(a6)


def windowed(i, q, offset):
    """Sample i: weigh it, note its square, store it."""
    l16ui(a12, a2, 2 * i)
    l16ui(a13, a3, 2 * i)
    sub(a12, a12, a9)
    mull(a12, a12, a13)
    srai(a12, a12, 12)
    mull(a13, a12, a12)
    add_n(a12, a12, a9)
    or_(a8, a8, a13)
    s16i(a12, q, offset)


@micropython.asm_xtensa
def window():
    """window(_, _, x, coefficients, digits, data) -> shift.

    a2 x  a3 coefficients  a4 digits  a6 data  a7 groups  a8 squares  a9 bias  a10, a11 targets
    """
    argument(a2, 2)
    argument(a3, 3)
    argument(a4, 4)
    argument(a6, 5)
    movi_n(a7, 60)
    movi_n(a8, 0)
    movi(a9, BIAS)
    loop(a7, WINDOWED)
    l8ui(a10, a4, 0)
    addx4(a10, a10, a6)
    addmi(a11, a10, 512)
    for half in range(2):
        windowed(half, a10, 2 * half)
        windowed(2 + half, a10, 256 + 2 * half)
        windowed(4 + half, a11, 2 * half)
        windowed(6 + half, a11, 256 + 2 * half)
    addi(a2, a2, 16)
    addi(a3, a3, 16)
    addi_n(a4, a4, 1)
    label(WINDOWED)
    addi(a10, a6, 60)
    movi(a11, 0x80008000)
    for group in range(4):
        for quarter in range(4):
            s32i(a11, a10, 64 * group + 256 * quarter)
    # The bit length of the largest magnitude is half that of the squares.
    extui(a10, a8, 30, 1)
    slli(a8, a8, 2)
    srli(a8, a8, 2)
    nsau(a8, a8)
    movi_n(a7, 33)
    sub(a7, a7, a8)
    srli(a7, a7, 1)
    movi_n(a8, 15)
    sub(a8, a8, a7)
    beqz(a10, DONE)
    beqz(a8, DONE)
    movi(a7, 512)
    loop(a7, CLEARED)
    l16ui(a10, a6, 0)
    moveqz(a10, a9, a10)
    s16i(a10, a6, 0)
    addi_n(a6, a6, 2)
    label(CLEARED)
    label(DONE)
    result(a8)


def scaled(r, pointer, offset, factor, bias):
    """(number * factor + bias) >> 15"""
    l16ui(r, pointer, offset)
    mull(r, r, factor)
    add_n(r, r, bias)
    srai(r, r, 15)


def pair(total, difference, x, y):
    """x + y and x - y; ``difference`` may be x."""
    add_n(total, x, y)
    sub(difference, x, y)


def store_pair(x, y, plus, plus_offset, minus, minus_offset, t):
    """Store x + y and x - y."""
    add_n(t, x, y)
    s16i(t, plus, plus_offset)
    sub(t, x, y)
    s16i(t, minus, minus_offset)


@micropython.asm_xtensa
def fft_first():
    """fft_first(_, _, data, shift): a2 data, a3 scale, a4 its bias, a6 bias of what stays biased.

    a8..a13 numbers 1, 2, 3  a14, a15 number 0
    """
    argument(a2, 2)
    argument(a3, 3)
    movi(a4, 8191)
    ssl(a3)
    sll(a3, a4)
    slli(a4, a3, 15)
    movi(a5, ROUND)
    sub(a4, a5, a4)
    movi(a6, 1 << 30)
    add_n(a6, a6, a4)
    movi(a7, 64)
    loop(a7, DONE)
    scaled(a8, a2, 4, a3, a4)
    scaled(a9, a2, 6, a3, a4)
    scaled(a10, a2, 8, a3, a4)
    scaled(a11, a2, 10, a3, a4)
    scaled(a12, a2, 12, a3, a4)
    scaled(a13, a2, 14, a3, a4)
    scaled(a14, a2, 0, a3, a6)
    scaled(a15, a2, 2, a3, a6)
    pair(a5, a14, a14, a10)
    pair(a10, a15, a15, a11)
    pair(a11, a8, a8, a12)
    pair(a12, a9, a9, a13)
    store_pair(a5, a11, a2, 0, a2, 8, a13)
    store_pair(a10, a12, a2, 2, a2, 10, a13)
    store_pair(a14, a9, a2, 4, a2, 12, a13)
    store_pair(a15, a8, a2, 14, a2, 6, a13)
    addi(a2, a2, 16)
    label(DONE)
    movi_n(a2, 1)


def turned(pointer, offset, twiddle, a, b, wr, wi, t):
    """A number, divided by 4 and multiplied by a twiddle: real part in a, imaginary in t."""
    scaled(a, pointer, offset, a15, a14)
    scaled(b, pointer, offset + 2, a15, a14)
    l32i(wr, a4, twiddle)
    l32i(wi, a4, twiddle + 4)
    mull(t, a, wi)
    mull(a, a, wr)
    mull(wr, b, wr)
    mull(b, b, wi)
    sub(a, a, b)
    add_n(t, t, wr)
    addmi(a, a, ROUND)
    addmi(t, t, ROUND)
    srai(a, a, 15)
    srai(t, t, 15)


def stage(m, step):
    """64 butterflies of numbers m apart: groups of m, then to the next group.

    a2 number 0, 1 at 4 * m behind it  a3 number 2, 3 behind it  a4 twiddles  a5 left in the group
    a6 groups left  a14 bias  a15 8191; a1 + 4, a1 + 8 hold sums
    """
    movi(a3, 8 * m)
    add_n(a3, a3, a2)
    movi_n(a6, 64 // m)
    label(GROUP)
    movi_n(a5, m)
    label(BUTTERFLY)
    turned(a2, 4 * m, 0, a7, a8, a9, a10, a11)
    turned(a3, 4 * m, 16, a8, a9, a10, a12, a13)
    pair(a9, a7, a7, a8)
    pair(a10, a11, a11, a13)
    s32i_n(a9, a1, 4)
    s32i_n(a10, a1, 8)
    turned(a3, 0, 8, a8, a9, a10, a12, a13)
    scaled(a9, a2, 0, a15, a14)
    scaled(a10, a2, 2, a15, a14)
    addmi(a9, a9, -BIAS)
    addmi(a10, a10, -BIAS)
    pair(a12, a9, a9, a8)
    pair(a8, a10, a10, a13)
    store_pair(a9, a11, a2, 4 * m, a3, 4 * m, a13)
    store_pair(a10, a7, a3, 4 * m + 2, a2, 4 * m + 2, a13)
    l32i_n(a9, a1, 4)
    l32i_n(a10, a1, 8)
    store_pair(a12, a9, a2, 0, a3, 0, a13)
    store_pair(a8, a10, a2, 2, a3, 2, a13)
    addi_n(a2, a2, 4)
    addi_n(a3, a3, 4)
    movi(a7, step)
    add_n(a4, a4, a7)
    addi_n(a5, a5, -1)
    bnez(a5, BUTTERFLY)
    addmi(a4, a4, -1536)
    movi(a7, 12 * m)
    add_n(a2, a2, a7)
    add_n(a3, a3, a7)
    addi_n(a6, a6, -1)
    bnez(a6, GROUP)


@micropython.asm_xtensa
def fft_next():
    """fft_next(_, _, data, twiddles, m, _)"""
    argument(a2, 2)
    argument(a4, 3)
    argument(a7, 4)
    movi(a14, -UNBIAS_4)
    movi(a15, 8191)
    bbsi(a7, 4, TO_16)
    bbsi(a7, 6, TO_64)
    j(IS_4)
    label(TO_16)
    j(IS_16)
    label(TO_64)
    j(IS_64)
    label(IS_4)
    stage(4, 384)
    j(DONE)
    label(IS_16)
    stage(16, 96)
    j(DONE)
    label(IS_64)
    stage(64, 24)
    label(DONE)
    movi_n(a2, 1)


@micropython.asm_xtensa
def energies():
    """energies(_, _, data, twiddles, bins)

    a2, a3 the bin and its mirror image in data  a4 twiddles  a6, a7 the same in bins
    a10, a9 their sum  a8, a12 their difference  a14 bias  a15 16383; a1 + 4 holds a constant
    """
    argument(a2, 2)
    argument(a4, 3)
    argument(a6, 4)
    movi(a7, 984)
    add_n(a7, a7, a6)
    movi(a3, 1004)
    add_n(a3, a3, a2)
    addi(a2, a2, 20)
    movi(a15, 16383)
    movi(a14, -UNBIAS_2)
    movi(a8, UNBIAS_2 + 2 * ROUND)
    s32i_n(a8, a1, 4)
    movi(a8, 124)
    loop(a8, DONE)
    scaled(a8, a2, 0, a15, a14)
    scaled(a9, a3, 0, a15, a14)
    pair(a10, a8, a8, a9)
    scaled(a9, a2, 2, a15, a14)
    l16ui(a11, a3, 2)
    mull(a11, a11, a15)
    l32i_n(a12, a1, 4)
    sub(a11, a12, a11)
    srai(a11, a11, 15)
    sub(a12, a9, a11)
    add_n(a9, a9, a11)
    l16ui(a11, a4, 0)
    l16ui(a5, a4, 2)
    mull(a13, a5, a12)
    mull(a5, a5, a8)
    mull(a8, a11, a8)
    mull(a11, a11, a12)
    sub(a13, a13, a8)
    add_n(a5, a5, a11)
    addmi(a13, a13, ROUND)
    neg(a5, a5)
    addmi(a5, a5, ROUND)
    srai(a13, a13, 15)
    srai(a5, a5, 15)
    energy(a10, a13, a9, a5, a6)
    sub(a10, a10, a13)
    sub(a5, a5, a9)
    srai(a10, a10, 1)
    srai(a5, a5, 1)
    mull(a10, a10, a10)
    mull(a5, a5, a5)
    add_n(a5, a5, a10)
    s32i(a5, a7, 0)
    addi_n(a2, a2, 4)
    addi(a3, a3, -4)
    addi_n(a4, a4, 4)
    addi_n(a6, a6, 4)
    addi(a7, a7, -4)
    label(DONE)
    movi_n(a2, 1)


def energy(real, x, imaginary, y, out):
    """(real + x) / 2 squared plus (imaginary + y) / 2 squared; uses a8 and a11."""
    add_n(a8, real, x)
    add_n(a11, imaginary, y)
    srai(a8, a8, 1)
    srai(a11, a11, 1)
    mull(a8, a8, a8)
    mull(a11, a11, a11)
    add_n(a8, a8, a11)
    s32i(a8, out, 0)


@micropython.asm_xtensa
def filterbank():
    """filterbank(bins, _, weights, widths, sums)

    a2 bins  a3 weights  a4 widths  a6 sums  a7 bands left  a8, a9 the rest's high and low part
    a10, a11 the sum's  a12 total
    """
    argument(a2, 0)
    argument(a3, 2)
    argument(a4, 3)
    argument(a6, 4)
    movi_n(a7, 41)
    movi_n(a8, 0)
    movi_n(a9, 0)
    mov(a5, a7)
    label(BAND)
    l8ui(a15, a4, 0)
    mov(a10, a8)
    mov(a11, a9)
    movi_n(a12, 0)
    loopnez(a15, SUMMED)
    l32i(a13, a2, 0)
    l16ui(a14, a3, 0)
    srli(a15, a13, 14)
    mull(a15, a15, a14)
    add_n(a12, a12, a13)
    extui(a13, a13, 0, 14)
    mull(a13, a13, a14)
    add_n(a10, a10, a15)
    add_n(a11, a11, a13)
    addi_n(a2, a2, 4)
    addi_n(a3, a3, 2)
    label(SUMMED)
    addi_n(a4, a4, 1)
    unweighted(a8, a10, 14, 16)
    unweighted(a9, a11, 0, 14)
    beq(a7, a5, NEXT)  # the first band is no channel of its own
    srai(a12, a11, 14)
    add_n(a10, a10, a12)
    extui(a11, a11, 0, 14)
    s32i(a10, a6, 0)
    s32i(a11, a6, 4)
    addi(a6, a6, 8)
    label(NEXT)
    addi_n(a7, a7, -1)
    bnez(a7, BAND)
    movi_n(a2, 1)


def unweighted(rest, weighted, shift, width):
    """What the band leaves to the next one: the part of 4096 * a12, less what was weighted."""
    extui(a13, a12, shift, width)
    slli(a13, a13, 12)
    sub(a13, a13, weighted)
    add_n(rest, rest, a13)


@micropython.asm_xtensa
def square_roots():
    """square_roots(_, _, sums, table, shift, levels)

    The sum's highest bits, an even number of places up, find the root in a table; then it is
    stepped up. a2 sums  a3 table  a4 channels left  a6 levels  a7 shift  a8, a9 high and low part
    a10 root  a11 rest  a12 places the root is too high  a13 places the sum is
    """
    argument(a2, 2)
    argument(a3, 3)
    argument(a7, 4)
    argument(a6, 5)
    movi_n(a4, 40)
    label(CHANNEL)
    l32i(a8, a2, 0)
    l32i(a9, a2, 4)
    slli(a11, a8, 14)
    or_(a11, a11, a9)
    movi_n(a12, 9)
    srli(a13, a8, 8)
    bnez(a13, WIDE)
    slli(a8, a11, 6)
    movi_n(a9, 0)
    movi_n(a12, 19)
    label(WIDE)
    nsau(a13, a8)
    movi_n(a14, 25)
    sub(a13, a14, a13)
    movi_n(a14, 0)
    max_(a13, a13, a14)
    srli(a13, a13, 1)
    sub(a12, a12, a13)
    slli(a13, a13, 1)
    ssr(a13)
    srl(a14, a8)
    addx4(a14, a14, a3)
    slli(a9, a9, 18)
    src(a9, a8, a9)
    extui(a9, a9, 18, 14)
    l32i(a10, a14, 0)
    l32i(a14, a14, 4)
    sub(a14, a14, a10)
    mull(a14, a14, a9)
    srli(a14, a14, 14)
    add_n(a10, a10, a14)
    ssr(a12)
    srl(a10, a10)
    mull(a14, a10, a10)
    sub(a11, a11, a14)
    bge(a10, a11, NEAREST)
    label(UP)
    addx2(a14, a10, a10)
    sub(a14, a14, a10)
    sub(a11, a11, a14)
    addi_n(a11, a11, -1)
    addi_n(a10, a10, 1)
    blt(a10, a11, UP)
    label(NEAREST)
    # 65535.x isn't rounded up if the sum is below 2**32.
    l32i(a8, a2, 0)
    extui(a9, a8, 18, 14)
    bnez(a9, STORE)
    extui(a9, a10, 16, 1)
    sub(a10, a10, a9)
    label(STORE)
    ssr(a7)
    srl(a10, a10)
    s32i(a10, a6, 0)
    addi_n(a6, a6, 4)
    addi(a2, a2, 8)
    addi_n(a4, a4, -1)
    bnez(a4, CHANNEL)
    movi_n(a2, 1)


def reduced(offset, smoothing):
    """One channel: follow its noise, subtract it."""
    l32i(a6, a2, offset)
    l32i(a7, a3, offset)
    slli(a8, a6, 10)
    sub(a9, a8, a7)
    srai(a10, a9, 14)
    extui(a9, a9, 0, 14)
    mull(a10, a10, smoothing)
    mull(a9, a9, smoothing)
    srli(a9, a9, 14)
    add_n(a7, a7, a10)
    add_n(a7, a7, a9)
    s32i(a7, a3, offset)
    mull(a6, a6, a13)
    sub(a8, a8, a7)
    srai(a6, a6, 14)
    srai(a8, a8, 10)
    max_(a6, a6, a8)
    s32i(a6, a2, offset)


@micropython.asm_xtensa
def reduce_noise():
    """reduce_noise(_, _, levels, noise): a2 levels  a3 noise  a13, a14, a15 constants"""
    argument(a2, 2)
    argument(a3, 3)
    movi(a13, REMAINS)
    movi(a14, EVEN)
    movi(a15, ODD)
    movi_n(a4, 20)
    loop(a4, DONE)
    reduced(0, a14)
    reduced(4, a15)
    addi(a2, a2, 8)
    addi(a3, a3, 8)
    label(DONE)
    movi_n(a2, 1)


@micropython.asm_xtensa
def control_gain():
    """control_gain(_, _, levels, noise, gains, _)

    a2 levels  a3 noise  a4 gains  a6 channels left  a7 noise, then its 10 bits after the highest
    a8 bits  a9 gain  a10 entry of the table  a14 ROUND  a15 the level from which on it is linear
    """
    argument(a2, 2)
    argument(a3, 3)
    argument(a4, 4)
    movi(a14, ROUND)
    movi(a15, 8192)
    movi_n(a6, 40)
    label(CHANNEL)
    l32i(a7, a3, 0)
    srli(a8, a7, 1)
    bnez(a8, INTERPOLATE)
    addx2(a10, a7, a4)
    l16ui(a9, a10, 0)
    j(MULTIPLY)
    label(INTERPOLATE)
    nsau(a8, a7)
    ssl(a8)
    sll(a7, a7)
    extui(a7, a7, 21, 10)
    movi_n(a10, 30)
    sub(a8, a10, a8)
    addx2(a8, a8, a8)
    addx2(a10, a8, a4)
    l16ui(a9, a10, 8)
    l16ui(a11, a10, 6)
    l16ui(a12, a10, 4)
    addi(a9, a9, -2)
    mull(a9, a9, a7)
    slli(a11, a11, 5)
    srai(a9, a9, 5)
    sub(a9, a9, a11)
    mull(a9, a9, a7)
    add_n(a9, a9, a14)
    srai(a9, a9, 15)
    add_n(a9, a9, a12)
    label(MULTIPLY)
    l32i(a7, a2, 0)
    srli(a8, a7, 6)
    extui(a7, a7, 0, 6)
    mull(a8, a8, a9)
    mull(a7, a7, a9)
    srli(a7, a7, 6)
    add_n(a7, a7, a8)
    blt(a7, a15, SQUARE)
    srli(a7, a7, 6)
    addi(a7, a7, -64)
    j(STORE)
    label(SQUARE)
    mull(a7, a7, a7)
    extui(a7, a7, 20, 12)
    label(STORE)
    s32i(a7, a2, 0)
    addi_n(a2, a2, 4)
    addi_n(a3, a3, 4)
    addi_n(a6, a6, -1)
    bnez(a6, CHANNEL)
    movi_n(a2, 1)


@micropython.asm_xtensa
def logarithms():
    """logarithms(_, _, levels, table, _, raw)

    a2 levels  a3 table  a4 channels left  a6 raw  a7 number, its highest bit moved to the top
    a8 bits  a9 the 16 bits after the highest  a13 1 << 15  a14 ROUND  a15 LN2
    """
    argument(a2, 2)
    argument(a3, 3)
    argument(a6, 5)
    movi(a13, 1 << 15)
    movi(a14, ROUND)
    movi(a15, LN2)
    movi_n(a4, 40)
    label(CHANNEL)
    l32i(a7, a2, 0)
    slli(a7, a7, 3)
    beqz(a7, STORE)
    nsau(a8, a7)
    ssl(a8)
    sll(a7, a7)
    movi_n(a9, 31)
    sub(a8, a9, a8)
    extui(a10, a7, 24, 7)
    addx2(a10, a10, a3)
    l16ui(a11, a10, 0)
    l16ui(a12, a10, 2)
    extui(a9, a7, 15, 16)
    extui(a10, a7, 15, 9)
    sub(a12, a12, a11)
    mull(a12, a12, a10)
    add_n(a9, a9, a11)
    srai(a12, a12, 16)
    add_n(a9, a9, a12)
    mull(a9, a9, a15)
    mull(a8, a8, a15)
    add_n(a9, a9, a14)
    srli(a9, a9, 15)
    addx2(a7, a8, a9)
    slli(a7, a7, 6)
    add_n(a7, a7, a13)
    extui(a7, a7, 16, 16)
    label(STORE)
    s16i(a7, a6, 0)
    addi_n(a2, a2, 4)
    addi_n(a6, a6, 2)
    addi_n(a4, a4, -1)
    bnez(a4, CHANNEL)
    movi_n(a2, 1)


@micropython.asm_xtensa
def quantise():
    """quantise(raw, features): a2 raw  a3 features  a13 255  a14 a half  a15 factor"""
    argument(a2, 0)
    argument(a3, 1)
    movi(a13, 255)
    movi(a14, 32768)
    movi(a15, 25191)
    movi_n(a4, 40)
    loop(a4, DONE)
    l16ui(a6, a2, 0)
    mull(a6, a6, a15)
    add_n(a6, a6, a14)
    extui(a6, a6, 16, 16)
    min_(a6, a6, a13)
    s8i(a6, a3, 0)
    addi_n(a2, a2, 2)
    addi_n(a3, a3, 1)
    label(DONE)
    movi_n(a2, 1)

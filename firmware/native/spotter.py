# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""The spotter's kernels for the ESP32-S3's vector unit (PIE).

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Each
kernel does exactly what its twin of the same name in ear/spotter/model_kernels.py does; its
arguments are small integers: addresses, of which all but the parameters' are multiples of 16.
"""

import micropython


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def requantise(sum_, parameters, t, u):
    """TFLM's MultiplyByQuantizedMultiplier: both roundings exact, for |sum| < 2**30.

    parameters: [.., multiplier, right shift]. A doubling high multiplication, rounded, is
    ((sum * multiplier >> 30) + 1) >> 1; the shift rounds halves away from zero.
    """
    l32i(t, parameters, 4)
    mulsh(u, sum_, t)
    mull(sum_, sum_, t)
    ssai(30)
    src(sum_, u, sum_)
    addi_n(sum_, sum_, 1)
    srai(sum_, sum_, 1)
    l32i(t, parameters, 8)
    beqz(t, DONE)
    addi_n(t, t, -1)
    ssr(t)
    srai(u, sum_, 31)
    add_n(sum_, sum_, u)
    sra(sum_, sum_)
    addi_n(sum_, sum_, 1)
    srai(sum_, sum_, 1)
    label(DONE)


def store(sum_, y, zero, low, high):
    """Add the output's zero point, clamp, store a byte."""
    add_n(sum_, sum_, zero)
    max_(sum_, sum_, low)
    min_(sum_, sum_, high)
    s8i(sum_, y, 0)
    addi_n(y, y, 1)


def broadcast_128(q, t):
    """Every lane 128, by way of a free byte of the stack frame."""
    movi(t, 128)
    s8i(t, a1, 4)
    addi_n(t, a1, 4)
    ee_vldbc_8(q, t)


@micropython.asm_xtensa
def conv():
    """conv(x, w, p, y): K inputs, a multiple of 16, to n outputs.

    a2 x  a3 w  a4 channel's parameters  a5 y  a6 vectors of x less one  a7 outputs left
    a8 lowest output  a9 zero point  a14 255  a15 128 * sum of x + 2**29
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    argument(a5, 3)
    l32i(a6, a4, 0)
    srli(a6, a6, 4)
    addi_n(a6, a6, -1)
    l32i(a7, a4, 4)
    l32i(a8, a4, 8)
    l32i(a9, a4, 12)
    addi(a4, a4, 16)
    movi(a14, 255)
    broadcast_128(q7, a10)
    mov(a10, a2)
    ee_zero_accx()
    ee_vld_128_ip(q0, a10, 16)
    loopnez(a6, SUMMED)
    ee_vmulas_u8_accx_ld_ip(q0, a10, 16, q0, q7)
    label(SUMMED)
    ee_vmulas_u8_accx(q0, q7)
    rur_accx_0(a15)
    movi(a10, 1 << 29)
    add_n(a15, a15, a10)
    label(NEXT)
    mov(a11, a2)
    ee_zero_accx()
    ee_vld_128_ip(q0, a11, 16)
    ee_vld_128_ip(q1, a3, 16)
    loopnez(a6, MULTIPLIED)
    ee_vmulas_u8_accx_ld_ip(q0, a11, 16, q0, q1)
    ee_vld_128_ip(q1, a3, 16)
    label(MULTIPLIED)
    ee_vmulas_u8_accx(q0, q1)
    rur_accx_0(a10)
    l32i(a11, a4, 0)
    sub(a10, a10, a15)
    add_n(a10, a10, a11)
    requantise(a10, a4, a11, a12)
    store(a10, a5, a9, a8, a14)
    addi_n(a4, a4, 12)
    addi_n(a7, a7, -1)
    bnez(a7, NEXT)
    movi_n(a2, 1)


def finish(high, low, shift):
    """One channel whose accumulator lies across two words of QACC."""
    high(a11)
    low(a10)
    ssai(shift)
    src(a10, a11, a10)
    finish_sum()


def finish_sum():
    """One channel: a10 is the sum in its low 20 bits."""
    sext(a10, a10, 19)
    l32i(a11, a4, 0)
    add_n(a10, a10, a11)
    sub(a10, a10, a13)
    requantise(a10, a4, a11, a12)
    store(a10, a5, a9, a8, a14)
    addi_n(a4, a4, 12)


def finish_half(w0, w1, w2, w3, w4):
    """Eight channels from the five words of one half of QACC."""
    w0(a10)
    finish_sum()
    finish(w1, w0, 20)
    w1(a10)
    srli(a10, a10, 8)
    finish_sum()
    finish(w2, w1, 28)
    finish(w3, w2, 16)
    w3(a10)
    srli(a10, a10, 4)
    finish_sum()
    finish(w4, w3, 24)
    w4(a10)
    srli(a10, a10, 12)
    finish_sum()


@micropython.asm_xtensa
def depthwise():
    """depthwise(x, w, p, y): T rows of C channels, C a multiple of 16.

    Lanes are signed: bytes lose their 128 on the way in, and the parameters' biases are those
    for signed inputs. The model's compiler makes sure that no sum leaves 20 bits.

    a2 x  a3 w  a4 channel's parameters  a5 y  a6 T  a7 groups of 16 channels left
    a8 lowest output  a9 zero point  a13 2**29  a14 255  a15 C
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    argument(a5, 3)
    l32i(a6, a4, 0)
    l32i(a15, a4, 4)
    srli(a7, a15, 4)
    l32i(a8, a4, 8)
    l32i(a9, a4, 12)
    addi(a4, a4, 16)
    movi(a13, 1 << 29)
    movi(a14, 255)
    broadcast_128(q7, a10)
    label(NEXT)
    ee_zero_qacc()
    mov(a10, a2)
    mov(a11, a3)
    loop(a6, SUMMED)
    ee_vld_128_xp(q0, a10, a15)
    ee_vld_128_xp(q1, a11, a15)
    ee_xorq(q0, q0, q7)
    ee_xorq(q1, q1, q7)
    ee_vmulas_s8_qacc(q0, q1)
    label(SUMMED)
    finish_half(rur_qacc_l_0, rur_qacc_l_1, rur_qacc_l_2, rur_qacc_l_3, rur_qacc_l_4)
    finish_half(rur_qacc_h_0, rur_qacc_h_1, rur_qacc_h_2, rur_qacc_h_3, rur_qacc_h_4)
    addi(a2, a2, 16)
    addi(a3, a3, 16)
    addi_n(a7, a7, -1)
    bnez(a7, NEXT)
    movi_n(a2, 1)

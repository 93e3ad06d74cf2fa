# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""The spotter's kernels for the ESP32-S3's vector unit (PIE).

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Each
kernel does exactly what its twin of the same name in ear/spotter/model_kernels.py does, with the
same arguments: small integers, of the buffers their addresses. Inputs and weights must lie at
multiples of 16.
"""

import micropython

BIAS = 1 << 30  # what the parameters' biases are too large


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def output(t, u):
    """An output from the sum in a10: TFLM's MultiplyByQuantizedMultiplier, both roundings exact.

    a4 the output's parameters (.., m in two halfwords, r - 1)  a5 y  a9 twice the zero point plus
    one  a14 255  a15 0. The high product, doubled and rounded, is ((sum * m >> 30) + 1) >> 1.
    """
    l32i(t, a4, 4)
    extui(u, t, 16, 16)
    slli(u, u, 15)
    sub(t, t, u)
    mulsh(u, a10, t)
    mull(a10, a10, t)
    ssai(30)
    src(a10, u, a10)
    addi_n(a10, a10, 1)
    srai(a10, a10, 1)
    l32i(t, a4, 8)
    srai(u, a10, 31)
    add_n(a10, a10, u)
    ssr(t)
    sra(a10, a10)
    add_n(a10, a10, a9)
    srai(a10, a10, 1)
    max_(a10, a10, a15)
    min_(a10, a10, a14)
    s8i(a10, a5, 0)
    addi_n(a5, a5, 1)
    addi(a4, a4, 16)


def broadcast_128(q, t):
    """Every lane 128, by way of a free byte of the stack frame."""
    movi(t, 128)
    s8i(t, a1, 4)
    addi_n(t, a1, 4)
    ee_vldbc_8(q, t)


@micropython.asm_xtensa
def conv():
    """conv(x, w, p, y)

    a2 x  a3 w  a4 output's parameters  a5 y  a6 vectors of x less one  a7 outputs left
    a8 128 * sum of x, and the bias  a9 zero
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    argument(a5, 3)
    l32i(a6, a4, 0)
    extui(a6, a6, 4, 16)
    addi_n(a6, a6, -1)
    l32i(a7, a4, 4)
    l32i(a9, a4, 8)
    addi(a4, a4, 32)
    movi(a14, 255)
    movi_n(a15, 0)
    broadcast_128(q7, a10)
    mov(a10, a2)
    ee_zero_accx()
    ee_vld_128_ip(q0, a10, 16)
    loopnez(a6, SUMMED)
    ee_vmulas_u8_accx_ld_ip(q0, a10, 16, q0, q7)
    label(SUMMED)
    ee_vmulas_u8_accx(q0, q7)
    rur_accx_0(a8)
    movi(a10, BIAS)
    add_n(a8, a8, a10)
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
    sub(a10, a10, a8)
    add_n(a10, a10, a11)
    output(a11, a12)
    addi_n(a7, a7, -1)
    bnez(a7, NEXT)
    movi_n(a2, 1)


def from_sum(done):
    """One channel: a10 is the sum in its low 20 bits. After the last channel on to ``done``."""
    sext(a10, a10, 19)
    l32i(a11, a4, 12)
    add_n(a10, a10, a11)
    sub(a10, a10, a13)
    output(a11, a12)
    addi_n(a7, a7, -1)
    bnez(a7, MORE)
    j(done)
    label(MORE)


def from_words(high, low, shift, done):
    """One channel whose sum lies across two words of QACC."""
    high(a11)
    low(a10)
    ssai(shift)
    src(a10, a11, a10)
    from_sum(done)


def from_word(word, shift, done):
    """One channel whose sum lies in one word of QACC."""
    word(a10)
    srli(a10, a10, shift)
    from_sum(done)


def from_half(w0, w1, w2, w3, w4, done):
    """Eight channels from the five words of one half of QACC."""
    from_word(w0, 0, done)
    from_words(w1, w0, 20, done)
    from_word(w1, 8, done)
    from_words(w2, w1, 28, done)
    from_words(w3, w2, 16, done)
    from_word(w3, 4, done)
    from_words(w4, w3, 24, done)
    from_word(w4, 12, done)


@micropython.asm_xtensa
def depthwise():
    """depthwise(x, w, p, y)

    Rows must be multiples of 16 apart. Lanes are signed: bytes lose their 128 on the way in, and
    the biases are the parameters' for such inputs. No sum may leave 20 bits.

    a2 x  a3 w  a4 channel's parameters  a5 y  a6 taps  a7 channels left  a8 pitch  a9 zero
    a13 bias  a1 + 4 width
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    argument(a5, 3)
    l32i(a6, a4, 0)
    l32i(a7, a4, 4)
    l32i(a9, a4, 8)
    l32i(a8, a4, 12)
    broadcast_128(q7, a10)
    l32i(a10, a4, 16)
    s32i_n(a10, a1, 4)
    addi(a4, a4, 32)
    movi(a13, BIAS)
    movi(a14, 255)
    movi_n(a15, 0)
    label(NEXT)
    ee_zero_qacc()
    mov(a10, a2)
    mov(a11, a3)
    l32i_n(a12, a1, 4)
    loop(a6, SUMMED)
    ee_vld_128_xp(q0, a10, a8)
    ee_vld_128_xp(q1, a11, a12)
    ee_xorq(q0, q0, q7)
    ee_xorq(q1, q1, q7)
    ee_vmulas_s8_qacc(q0, q1)
    label(SUMMED)
    from_half(rur_qacc_l_0, rur_qacc_l_1, rur_qacc_l_2, rur_qacc_l_3, rur_qacc_l_4, DONE)
    from_half(rur_qacc_h_0, rur_qacc_h_1, rur_qacc_h_2, rur_qacc_h_3, rur_qacc_h_4, DONE)
    addi(a2, a2, 16)
    addi(a3, a3, 16)
    j(NEXT)
    label(DONE)
    movi_n(a2, 1)


@micropython.asm_xtensa
def transfer():
    """transfer(source, to, count): a2 source  a3 to  a4 count"""
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    loopnez(a4, DONE)
    l8ui(a6, a2, 0)
    s8i(a6, a3, 0)
    addi_n(a2, a2, 1)
    addi_n(a3, a3, 1)
    label(DONE)
    movi_n(a2, 1)


@micropython.asm_xtensa
def shift():
    """shift(arena, regions, count)

    By vectors where both ends are aligned, and by words.

    a2 arena  a3 regions  a4 regions left  a6 to  a7 bytes  a8 from
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    label(NEXT)
    l32i(a6, a3, 0)
    l32i(a7, a3, 4)
    l32i(a8, a3, 8)
    add_n(a6, a6, a2)
    add_n(a8, a8, a6)
    or_(a9, a6, a8)
    extui(a9, a9, 0, 4)
    bnez(a9, WORDS)
    extui(a9, a7, 4, 16)
    extui(a7, a7, 0, 4)
    loopnez(a9, WORDS)
    ee_vld_128_ip(q0, a8, 16)
    ee_vst_128_ip(q0, a6, 16)
    label(WORDS)
    srli(a7, a7, 2)
    loopnez(a7, MOVED)
    l32i_n(a9, a8, 0)
    s32i_n(a9, a6, 0)
    addi_n(a8, a8, 4)
    addi_n(a6, a6, 4)
    label(MOVED)
    addi(a3, a3, 16)
    addi_n(a4, a4, -1)
    bnez(a4, NEXT)
    movi_n(a2, 1)

# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""IMA ADPCM in plain Xtensa instructions.

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Does what
its twin in ear/privacy/adpcm_kernels.py does, with the same arguments: small integers, of the
buffers their addresses.
"""

import micropython

BIAS = 32768


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def magnitude_bit(bit):
    """One bit of the code: is the difference at least the step?"""
    blt(a10, a11, LESS)
    addi_n(a12, a12, bit)
    sub(a10, a10, a11)
    add_n(a13, a13, a11)
    label(LESS)


def code_of(offset):
    """The code of the sample at ``offset``, in a12; the state follows it."""
    l16si(a10, a2, offset)
    addx2(a11, a9, a4)
    sub(a10, a10, a8)
    l16ui(a11, a11, 0)
    movi_n(a12, 0)
    srli(a13, a11, 3)
    bgez(a10, POSITIVE)
    movi_n(a12, 8)
    neg(a10, a10)
    label(POSITIVE)
    magnitude_bit(4)
    srli(a11, a11, 1)
    magnitude_bit(2)
    srli(a11, a11, 1)
    magnitude_bit(1)
    bbci(a12, 3, UP)
    neg(a13, a13)
    label(UP)
    add_n(a8, a8, a13)
    clamps(a8, a8, 15)
    bbsi(a12, 2, LARGER)
    addi_n(a9, a9, -1)
    movi_n(a10, 0)
    max_(a9, a9, a10)
    j(DONE)
    label(LARGER)
    extui(a10, a12, 0, 2)
    addx2(a9, a10, a9)
    addi_n(a9, a9, 2)
    movi_n(a10, 88)
    min_(a9, a9, a10)
    label(DONE)


@micropython.asm_xtensa
def encode():
    """encode(samples, codes, state, count)

    a2 samples  a3 codes  a4 steps  a5 state  a7 bytes left  a8 predictor  a9 index
    a10 difference  a11 step  a12 code  a13 change  a14 the byte's first code  a15 bias
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a7, 3)
    argument(a5, 2)
    addi_n(a4, a5, 4)
    movi(a15, BIAS)
    l16ui(a8, a5, 0)
    l16ui(a9, a5, 2)
    sub(a8, a8, a15)
    srli(a7, a7, 1)
    beqz(a7, DONE)
    label(NEXT)
    code_of(0)
    mov(a14, a12)
    code_of(2)
    slli(a12, a12, 4)
    add_n(a12, a12, a14)
    s8i(a12, a3, 0)
    addi_n(a2, a2, 4)
    addi_n(a3, a3, 1)
    addi_n(a7, a7, -1)
    bnez(a7, NEXT)
    label(DONE)
    add_n(a8, a8, a15)
    s16i(a8, a5, 0)
    s16i(a9, a5, 2)
    movi_n(a2, 1)

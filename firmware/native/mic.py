# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""The microphone's kernel in plain Xtensa instructions.

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Does what
its twin in ear/audio/mic_kernels.py does, with the same arguments: small integers, of the buffers
their addresses. The source must lie at a multiple of 4, the hop at a multiple of 2.
"""

import micropython


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def narrowed(i, sample):
    """Sample i, which was loaded: shift it, saturate it, store it."""
    sra(sample, sample)
    clamps(sample, sample, 15)
    s16i(sample, a3, 2 * i)


@micropython.asm_xtensa
def narrow():
    """narrow(source, hop, count, shift)

    By eights, then what is left one by one; a loaded word is used one instruction later at the
    earliest. a2 source  a3 hop  a4 samples left  a6 shift  a7 eights  a8, a9 samples
    """
    argument(a2, 0)
    argument(a3, 1)
    argument(a4, 2)
    argument(a6, 3)
    ssr(a6)
    movi_n(a7, 0)
    max_(a4, a4, a7)
    srli(a7, a4, 3)
    extui(a4, a4, 0, 3)
    loopnez(a7, EIGHTS)
    for pair in range(0, 8, 2):
        l32i(a8, a2, 4 * pair)
        l32i(a9, a2, 4 * pair + 4)
        narrowed(pair, a8)
        narrowed(pair + 1, a9)
    addi(a2, a2, 32)
    addi(a3, a3, 16)
    label(EIGHTS)
    loopnez(a4, DONE)
    l32i(a8, a2, 0)
    addi_n(a2, a2, 4)
    narrowed(0, a8)
    addi_n(a3, a3, 2)
    label(DONE)
    movi_n(a2, 1)

# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""A sequence of kernel calls in plain Xtensa instructions, viper and native ones alike.

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Its twin
is ``run`` in ear/sequence.py, which also writes its programs. A program is words:

    number of calls
    the first call's result, an object
    number of places that the input goes to, and each one's address
    for each call:
        address of the machine code, address of the function object
        number of arguments, and each one, an object
        number of places that the result goes to, and each one's address

A kernel is entered as MicroPython does it (py/objfun.c, ``fun_viper_call``): the function object,
the numbers of arguments and of keywords, a pointer to the argument objects; it returns an object.
Objects are small integers, so nothing here needs to be seen by the collector. callx8 keeps a0 to
a7; the frame of 48 bytes that mpy-cross makes has what an overflow of the register window saves.
"""

import micropython


def deliver(value):
    """Store a value in as many places as follow."""
    l32i(a8, a6, 0)
    addi_n(a6, a6, 4)
    loopnez(a8, DELIVERED)
    l32i(a9, a6, 0)
    addi_n(a6, a6, 4)
    s32i(value, a9, 0)
    label(DELIVERED)


@micropython.asm_xtensa
def run():
    """run(program, value) -> the first call's result

    a2 program  a3 calls left  a6 next word of the program  a7 number of arguments
    """
    l32i(a2, a5, 0)
    l32i(a10, a5, 4)
    srai(a2, a2, 1)
    l32i(a3, a2, 0)
    addi(a6, a2, 8)
    deliver(a10)
    label(NEXT)
    l32i(a8, a6, 0)
    l32i(a10, a6, 4)
    l32i(a7, a6, 8)
    movi_n(a12, 0)
    addi_n(a13, a6, 12)
    mov(a11, a7)
    callx8(a8)
    addx4(a6, a7, a6)
    addi_n(a6, a6, 12)
    deliver(a10)
    addi_n(a3, a3, -1)
    bnez(a3, NEXT)
    l32i(a2, a2, 4)

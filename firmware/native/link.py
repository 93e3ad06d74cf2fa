# ruff: noqa: F821  (instructions, registers and labels are the assembler's names)
"""The frames' kernel in plain Xtensa instructions.

Read by bluering.native, never run: see host/bluering/native/source.py for the language. Does what
its twin in ear/link/frame_kernels.py does, with the same arguments: small integers, of the buffers
their addresses.
"""

import micropython

BLOCK = 254  # bytes between two codes, at most


def argument(register, index):
    """Argument ``index`` as a machine word; a5 points to the arguments and is loaded last."""
    l32i(register, a5, 4 * index)
    srai(register, register, 1)


def nibble():
    """Four bits of the checksum; the table's word is used one instruction later."""
    extui(a10, a8, 0, 4)
    addx4(a10, a10, a7)
    l32i(a10, a10, 0)
    srli(a8, a8, 4)
    xor(a8, a8, a10)


def stuffed(full, close, onward):
    """Put the byte in a9; a zero goes to close, a block's last byte to full, both to onward."""
    beqz(a9, close)
    beq(a6, a12, full)
    s8i(a9, a6, 0)
    label(onward)
    addi_n(a6, a6, 1)


def opened():
    """The next code's place is a6."""
    mov(a11, a6)
    add_n(a12, a11, a13)


def ended(full, close, onward):
    """What ends a block, outside the loop: the ordinary byte must not jump over it."""
    label(full)
    s8i(a9, a6, 0)
    addi_n(a6, a6, 1)
    label(close)
    sub(a10, a6, a11)
    s8i(a10, a11, 0)
    opened()
    j(onward)


@micropython.asm_xtensa
def seal():
    """seal(message, length, out, at, table)

    Each byte goes into checksum and frame at once, then the checksum's own into the frame.

    a2 message  a4 bytes left  a6 where the frame goes on  a7 table  a8 checksum  a9 byte
    a10 nibble or code  a11 the code's place  a12 place of the block's last byte  a13 BLOCK
    a14 the frame's beginning
    """
    argument(a2, 0)
    argument(a4, 1)
    argument(a14, 2)
    argument(a6, 3)
    argument(a7, 4)
    add_n(a14, a14, a6)
    movi_n(a9, 0)
    s8i(a9, a14, 0)
    movi(a13, BLOCK)
    movi_n(a8, -1)
    addi_n(a6, a14, 1)
    opened()
    addi_n(a6, a6, 1)
    loopnez(a4, SUMMED)
    l8ui(a9, a2, 0)
    addi_n(a2, a2, 1)
    xor(a8, a8, a9)
    nibble()
    nibble()
    stuffed(FULL, CLOSE, NEXT)
    label(SUMMED)
    movi_n(a9, -1)
    xor(a8, a8, a9)
    movi_n(a4, 4)
    loop(a4, STUFFED)
    extui(a9, a8, 0, 8)
    srli(a8, a8, 8)
    s8i(a9, a2, 0)
    addi_n(a2, a2, 1)
    stuffed(LAST_FULL, LAST_CLOSE, LAST_NEXT)
    label(STUFFED)
    sub(a10, a6, a11)
    s8i(a10, a11, 0)
    movi_n(a9, 0)
    s8i(a9, a6, 0)
    addi_n(a6, a6, 1)
    sub(a2, a6, a14)
    slli(a2, a2, 1)
    addi_n(a2, a2, 1)
    j(DONE)
    ended(FULL, CLOSE, NEXT)
    ended(LAST_FULL, LAST_CLOSE, LAST_NEXT)
    label(DONE)

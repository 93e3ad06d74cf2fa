"""What a board's chip and image leave room and time for; the virtual board keeps to it."""

from dataclasses import dataclass, replace
from typing import Literal

from bluering.boards import Board

Pace = Literal["real", "fast"]

# The heap's bytes, seen on stock images. In internal memory: 225,360 free at the prompt and 2,480
# in use; DMA buffers and native code come out of the same memory there and are not counted here.
_INTERNAL_HEAP = 227_840
_PSRAM_HEAP = 8_257_536
_ROOMY_HEAP = 32 << 20
# What 64-bit words take more: the least heap with which the sources start is 484 KB instead of
# 336 KB with one word, 681 instead of 466 with three. On the chip one word takes 161 KB, compiled:
# a board without PSRAM runs from sources only if it is roomy.
_WORDS_64 = 1.5
# The console takes its input byte by byte into a ring.
_LINK_IN = 11_000
_INPUT_RING = 260
# A file written aside and renamed: one sector of 4 KB is erased, 45 ms as a rule (tSE in Winbond's
# data sheet of the W25Q128JV; 400 ms at most), and a few pages are programmed, 0.4 ms each (tPP).
_FLASH_WRITE_MS = 50


@dataclass(frozen=True)
class Limits:
    """What a virtual board may use.

    heap: bytes of MicroPython's heap; link_out, link_in: bytes a second to and from the host, 0
    for as many as there are; input_ring: bytes from the host that wait for the firmware, more are
    held back as USB does; flash_write_ms: what renaming a file that was written takes.
    """

    heap: int
    link_out: int = 0
    link_in: int = 0
    input_ring: int = 0
    flash_write_ms: int = 0


def limits(board: Board, word_size: int, pace: Pace, roomy: bool) -> Limits:
    """A board's limits: in fast pace those of its heap alone, none that counts if ``roomy``."""
    if roomy:
        return Limits(_ROOMY_HEAP)
    heap = _INTERNAL_HEAP if board.chip.psram in (None, "none") else _PSRAM_HEAP
    room = Limits(int(heap * _WORDS_64) if word_size == 64 else heap)
    if pace == "fast":
        return room
    return replace(
        room,
        link_out=board.usb.link_rate,
        link_in=_LINK_IN,
        input_ring=_INPUT_RING,
        flash_write_ms=_FLASH_WRITE_MS,
    )

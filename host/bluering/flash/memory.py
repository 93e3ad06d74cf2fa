"""The memory budget: what a device has, what is taken of it, and which words fit.

The figures are bytes of MicroPython's heap, measured on the model of the chip's memory after a
collection; ``tests/virtual/test_memory_budget.py`` measures anew and fails where one has changed.
docs/memory.md says what is in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bluering.boards import Board
from bluering.flash.errors import ImageError

# What must stay free: hosts ask, settings change, texts are made.
FREE = 40 << 10

APPLICATION = 116_330  # all that listens, without a word
WORD = 8_450  # a word's arena and objects, beside its compiled model
RECORDING = 8_688  # while the owner allows it: what a recording itself needs included
PRE_ROLL = 22_784  # half a second of sound, and the messages that it makes at once


@dataclass(frozen=True)
class Memory:
    """What a stock image gives the application: ``heap`` is what MicroPython's heap grows to once
    machine code and the microphone's buffers are taken out of the same memory."""

    title: str
    heap: int
    most_words: int

    def room(self) -> int:
        """Bytes for words: without the application, recording, and what must stay free."""
        return self.heap - APPLICATION - RECORDING - FREE


INTERNAL = Memory("without PSRAM", 220_864, 32)
# The least that modules with PSRAM have is 2 MB. No more words were tried than it holds: the time
# that PSRAM costs isn't modelled.
PSRAM = Memory("with PSRAM", 1_919_680, 32)


def of(board: Board, needs_octal: bool) -> Memory:
    """What the application has on a board; ``needs_octal``: the stock image is for octal PSRAM.

    The plain image finds quad PSRAM by itself and leaves octal unused.
    """
    return PSRAM if needs_octal or board.chip.psram == "quad" else INTERNAL


def words_that_fit(memory: Memory, blob: int) -> int:
    """How many words whose compiled models have ``blob`` bytes."""
    return min(memory.most_words, memory.room() // (blob + WORD))


def check(memory: Memory, blobs: Mapping[str, int]) -> None:
    """Whether words fit, by the bytes of their compiled models. Raises ImageError with the sum."""
    each = {name: blob + WORD for name, blob in blobs.items()}
    needed = sum(each.values()) + memory.heap - memory.room()
    if len(each) > memory.most_words:
        raise ImageError(
            f"{len(each)} words are too many: a board {memory.title} holds {memory.most_words}",
            "name fewer words",
        )
    if needed <= memory.heap:
        return
    listed = " + ".join(f"{name} {size:,}" for name, size in each.items())
    raise ImageError(
        f"{len(each)} {'word does' if len(each) == 1 else 'words do'} not fit on a board "
        f"{memory.title}: application {APPLICATION:,} + {listed} + recording {RECORDING:,} + to "
        f"stay free {FREE:,} = {needed:,} of {memory.heap:,} bytes",
        _remedy(memory, sorted(each.values())),
    )


def _remedy(memory: Memory, sizes: list[int]) -> str:
    left, count = memory.room(), 0
    for size in sizes:
        left -= size
        count += left >= 0
    fewer = f"name {'one word' if count == 1 else f'at most {count} words'}" if count else ""
    psram = "take a board with PSRAM and the stock image that uses it"
    if memory is PSRAM:
        return fewer or "take a smaller model"
    return f"{fewer}, or {psram}" if fewer else psram

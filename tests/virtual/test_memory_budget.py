"""The declared memory budget is what the application takes on the model of the chip's memory."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bluering import audio, demo
from bluering.flash import memory
from bluering.link.codec import pack
from bluering.link.records import Hello, PreRoll, Record, Scores
from bluering.models.packaged import CompiledWord, packaged
from bluering.virtual.listen import messages
from bluering.virtual.runner import VirtualBoard
from ear.link.frames import encode
from tests.targets import chip_board
from tests.targets.chip_board import INTERNAL, OCTAL, Memory, Use

# What a place on the stack keeps alive differs between runs, and with it the last kilobyte.
TOLERANCE = 1024
QUAD = Memory(("1966080:h", "237000:xd", "32300:d"))  # 2 MB without what ESP-IDF takes of it


pytestmark = pytest.mark.usefixtures("chip_memory")


def words(count: int) -> list[CompiledWord]:
    """So many words of their own names; each is alexa."""
    alexa = packaged("alexa")
    return [alexa if not i else replace(alexa, name=f"alexa{i}") for i in range(count)]


def heard(count: int, memory: Memory, **settings: bool) -> tuple[list[Record], list[Use]]:
    """What a device says of a minute in which alexa is called, and its memory meanwhile."""
    runtime = chip_board.runtime(memory, watch=50)
    sound: Iterator[bytes] = iter([audio.read(demo.FLAC).tobytes(), bytes(96_000)])
    board = VirtualBoard(
        words(count), sound, board=chip_board.BOARD, runtime=runtime, settings=settings
    )
    with board:
        board.to_device.write(encode(PreRoll.declaration.id, 0, pack(PreRoll(1))))
        said = list(messages(board))
        return said, [use for use in chip_board.uses(board) if use.done == "read"]


def most(uses: list[Use]) -> int:
    """The most of the heap that was in use."""
    return max(use.used for use in uses)


def test_the_budget_is_what_is_taken_without_psram() -> None:
    blob = len(packaged("alexa").blob)
    listening = memory.APPLICATION + blob + memory.WORD
    _, uses = heard(1, INTERNAL)
    assert most(uses) == pytest.approx(listening, abs=TOLERANCE)
    assert uses[-1].total == pytest.approx(memory.INTERNAL.heap, abs=TOLERANCE)
    _, uses = heard(1, INTERNAL, record=True)
    assert most(uses) == pytest.approx(listening + memory.RECORDING, abs=TOLERANCE)
    _, uses = heard(1, INTERNAL, record=True, pre_roll=True)
    recording = memory.RECORDING + memory.PRE_ROLL
    assert most(uses) == pytest.approx(listening + recording, abs=TOLERANCE)


def test_each_word_takes_what_is_declared() -> None:
    one, three = (most(heard(count, OCTAL)[1]) for count in (1, 3))
    each = len(packaged("alexa").blob) + memory.WORD
    assert (three - one) / 2 == pytest.approx(each, abs=TOLERANCE / 2)


def test_as_many_words_as_are_allowed_run_with_the_least_psram() -> None:
    said, uses = heard(memory.PSRAM.most_words, QUAD, record=True)
    assert next(m for m in said if isinstance(m, Hello)).words == memory.PSRAM.most_words
    assert max(m.position for m in said if isinstance(m, Scores)) > 6_600
    assert uses[-1].total == pytest.approx(memory.PSRAM.heap, abs=TOLERANCE)
    assert min(use.total - use.used for use in uses) >= memory.FREE

"""``python -m tests.bench.memory``: what the application takes of the chip's memory.

Measured on the model of it (``tests.targets.chip_board``): each module's own, in the order in which
their imports end, then the whole device while it listens. Where it doesn't come that far, what it
said of that.
"""

import itertools
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bluering.models.packaged import packaged
from bluering.virtual.listen import messages
from bluering.virtual.runner import VirtualBoard, VirtualBoardError
from tests.targets import chip_board
from tests.targets.chip_board import INTERNAL, OCTAL, Memory

_HOPS = 90
_READS = 25  # of the microphone, until the device is looked at
_QUIET = bytes(320)


def table(memory: Memory, words: list[str]) -> Table:
    """A row for each module and one for the listening device, in bytes."""
    names = "after", "own", "in use", "heap", "largest run", "pool free", "largest", "code"
    result = Table(*names, box=None, title=f"{', '.join(words)}: {' '.join(memory.regions)}")
    for column in result.columns[1:]:
        column.justify = "right"
    for row in _rows(memory, words):
        result.add_row(*row)
    return result


def _rows(memory: Memory, words: list[str]) -> Iterator[list[str]]:
    runtime = chip_board.runtime(memory, watch=_READS, imports=True)
    sound = itertools.repeat(_QUIET, _HOPS)
    models = [packaged(word) for word in words]
    failure = ""
    with VirtualBoard(models, sound, board=chip_board.BOARD, runtime=runtime) as board:
        try:
            for _ in messages(board):
                pass
        except VirtualBoardError as error:
            failure = str(error)
        uses = chip_board.uses(board)
    for use in uses:
        numbers = use.own, use.used, use.total, use.run, use.free, use.largest, use.code
        yield [use.done, *(f"{number:,}" for number in numbers)]
    if failure:
        yield [failure]


def main() -> None:
    """Print a table without PSRAM for one word, with PSRAM for three."""
    console = Console(width=120)
    console.print(table(INTERNAL, ["alexa"]))
    console.print(table(OCTAL, ["alexa", "computer", "hey_echo"]))


if __name__ == "__main__":
    main()

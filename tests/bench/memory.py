"""``python -m tests.bench.memory``: what a start takes of the chip's memory, part by part.

Beside it what the stock image took without PSRAM on an emulated ESP32-S3, MicroPython 1.27, at the
commit for which the model's regions were chosen (``tests.targets.chip_board``).
"""

from rich.console import Console
from rich.table import Table

from tests.targets import chip_board

# In use after a collection, in thousands of bytes; the heap's areas at the end and what failed.
ON_CHIP = {
    "prompt": 2.5,
    "boot": 5.5,
    "imports": 93.3,
    "native kernels": 99.5,
    "link": 112.4,
    "front end": 121.9,
    "recorder": 154.5,
}


def table(memory: chip_board.Memory, words: tuple[str, ...]) -> Table:
    """Each stage: the heap in use, its areas, its largest free run, the pool, code; in bytes."""
    head = ["after", "in use", "on the chip", "heap", "largest run", "pool free", "largest", "code"]
    result = Table(*head, box=None)
    for column in result.columns[1:]:
        column.justify = "right"
    for name, use in chip_board.stages(memory, words).items():
        there = f"{ON_CHIP[name] * 1000:,.0f}" if name in ON_CHIP else ""
        numbers = use.total, use.run, use.free, use.largest, use.code
        result.add_row(name, f"{use.used:,}", there, *(f"{number:,}" for number in numbers))
    return result


def main() -> None:
    """Print the table without PSRAM for one word, with PSRAM for three."""
    console = Console()
    console.print("without PSRAM, alexa")
    console.print(table(chip_board.INTERNAL, ("alexa",)))
    console.print("with octal PSRAM, alexa, computer, hey_echo")
    console.print(table(chip_board.OCTAL, ("alexa", "computer", "hey_echo")))


if __name__ == "__main__":
    main()

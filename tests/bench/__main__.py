"""``make bench``: what the firmware costs.

Instructions are exact and the same on every computer. The virtual board's speed is this one's.
"""

import sys

from rich.console import Console
from rich.table import Table

from bluering.virtual.runtime import RuntimeMissingError
from tests.bench import native, recording
from tests.bench.speed import measure
from tests.targets.xtensa import QemuMissingError


def main() -> None:
    """Print all figures; exit with the reasons when some could not be measured."""
    missing: list[str] = []
    try:
        native.main()
        Console().print(_recording())
    except QemuMissingError as error:
        missing.append(str(error))
    Console().print(_speeds(missing))
    if missing:
        sys.exit("\n".join(missing))


def _recording() -> Table:
    """What recording adds to listening; AES and SHA-256 are MicroPython's own."""
    table = Table("a second of recorded sound, ESP32-S3", "", box=None)
    table.columns[1].justify = "right"
    for name, count in recording.instructions_per_second().items():
        table.add_row(name, f"{count:,} instructions")
    for name, count in recording.bytes_per_second().items():
        table.add_row(name, f"{count:,} bytes")
    table.caption = (
        "AES and SHA-256 are MicroPython's own, on the chip's accelerators: their cost is in no "
        "figure here, nor is that of the Python around the kernels."
    )
    return table


def _speeds(missing: list[str]) -> Table:
    """How fast the virtual board listens, the application's loop included."""
    table = Table("the virtual board, alexa", "times real time on one core", box=None)
    table.columns[1].justify = "right"
    for word_size in (64, 32):
        try:
            speed = measure(word_size).times_real_time
        except RuntimeMissingError as error:
            missing.append(str(error))
        else:
            table.add_row(f"MicroPython with {word_size}-bit words", f"{speed:.0f}")
    return table


if __name__ == "__main__":
    main()

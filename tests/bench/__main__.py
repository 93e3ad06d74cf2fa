"""``make bench``: what the firmware costs.

Instructions are exact and the same on every computer. The virtual board's speed is this one's.
"""

import sys

from rich.console import Console
from rich.table import Table

from bluering.virtual.runtime import RuntimeMissingError
from tests.bench import native
from tests.bench.speed import measure
from tests.targets.xtensa import QemuMissingError


def main() -> None:
    """Print all figures; exit with the reasons when some could not be measured."""
    missing: list[str] = []
    try:
        native.main()
    except QemuMissingError as error:
        missing.append(str(error))
    Console().print(_speeds(missing))
    if missing:
        sys.exit("\n".join(missing))


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

"""``make bench``: what the firmware costs.

The instructions are those of the xtensawin machine code, counted under QEMU: exact, and the same
on every computer. The speed is this computer's.
"""

import sys
from collections import Counter

from rich.console import Console
from rich.table import Table

from bluering.models.packaged import packaged, packaged_names
from bluering.virtual.runtime import RuntimeMissingError
from ear.spotter.format import read_header
from tests.bench.frontend import instructions_per_hop
from tests.bench.model import instructions_per_step
from tests.bench.speed import measure
from tests.targets.xtensa import QemuMissingError

_CORE_HZ = 240_000_000
_HOPS_PER_SECOND = 100


def main() -> None:
    """Print all figures; exit with the reasons when some could not be measured."""
    missing: list[str] = []
    try:
        Console().print(_costs(), "")
    except QemuMissingError as error:
        missing.append(str(error))
    Console().print(_speeds(missing))
    if missing:
        sys.exit("\n".join(missing))


def _costs() -> Table:
    """Instructions of the front end, of its kernels, and of each packaged model."""
    table = Table("xtensawin instructions", "a run", "runs a second", "share of a core", box=None)
    table.caption = "kernels alone; a core at 240 MHz and one instruction a cycle"
    for column in table.columns[1:]:
        column.justify = "right"
    hop = instructions_per_hop()
    _add_cost(table, "front end, a hop", hop, _HOPS_PER_SECOND)
    for name in packaged_names():
        stride = read_header(packaged(name).blob).stride
        _add_cost(table, f"{name}, a step", instructions_per_step(name), _HOPS_PER_SECOND / stride)
    return table


def _add_cost(table: Table, what: str, counts: Counter[str], runs: float) -> None:
    share = counts.total() * runs / _CORE_HZ
    table.add_row(what, f"{counts.total():,}", f"{runs:.1f}", f"{share:.1%}")
    for kernel, count in counts.most_common():
        table.add_row(f"  {kernel}", f"{count:,}", style="dim")


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

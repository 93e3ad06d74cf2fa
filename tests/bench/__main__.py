"""``make bench``: what the firmware costs.

Instructions are exact and the same on every computer. The virtual board's speed is this one's.
"""

import sys

from rich.console import Console
from rich.table import Table

from bluering.virtual.runtime import RuntimeMissingError
from tests.bench import loop, native, recording
from tests.bench.speed import measure
from tests.targets.callgrind import ValgrindMissingError
from tests.targets.xtensa import QemuMissingError
from tests.targets.xtensa_c import CompilerMissingError


def main() -> None:
    """Print all figures; exit with the reasons when some could not be measured."""
    missing: list[str] = []
    try:
        native.main()
        Console().print(recording_table(missing))
    except QemuMissingError as error:
        missing.append(str(error))
    try:
        loop.main([])
    except (
        CompilerMissingError,
        QemuMissingError,
        RuntimeMissingError,
        ValgrindMissingError,
        loop.CommitMissingError,
    ) as error:
        missing.append(f"the whole loop is not counted: {error}")
    Console().print(_speeds(missing))
    if missing:
        sys.exit("\n".join(missing))


def recording_table(missing: list[str]) -> Table:
    """What recording adds to listening; a reason goes into ``missing``. Raises QemuMissingError."""
    title = "instructions for a second of recorded sound"
    table = Table(title, "viper", "with native kernels", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    kinds = recording.instructions_per_second(), recording.native_per_second()
    for name in kinds[0]:
        table.add_row(name, *(f"{kind[name]:,}" for kind in kinds))
    try:
        encryption = recording.encryption_per_second()
    except CompilerMissingError as error:
        table.add_row("AES-256, SHA-256", *["not counted"] * 2)
        missing.append(f"AES-256 and SHA-256 are not counted: {error}")
        return table
    for name, (count, size) in encryption.items():
        table.add_row(f"{name}, {size:,} bytes, in C", *[f"{count:,}"] * 2)
    in_c = sum(count for count, _ in encryption.values())
    totals = [sum(kind.values()) + in_c for kind in kinds]
    table.add_row("all", *(f"{total:,}" for total in totals))
    shares = (f"{total / native.CORE_HZ:.1%}" for total in totals)
    table.add_row("share of an S3 core at 240 MHz and one instruction a cycle", *shares)
    table.caption = (
        "AES and SHA-256 are MicroPython's own: mbedTLS's C, compiled for the LX106, whose "
        "instructions the S3 has too. The board's image has the chip's accelerators do them "
        "instead; what their driver costs is in no figure here, nor is the Python around all this."
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

"""Instructions of a whole virtual board, exact, by C function of MicroPython.

Valgrind (set-up fetches it) runs i386 code at about a fiftieth of its speed. A count is i386's; of
the same board and sound it differs only by what chance decides, keys and sessions.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bluering.errors import BlueRingError
from bluering.virtual.runtime import Runtime

NATIVE = "(native code)"
"""The machine code of ``.mpy`` files, which has no names."""

_VALGRIND = Path(__file__).parents[2] / ".cache" / "valgrind" / "valgrind"
_OBJECT = re.compile(r"ob=\((\d+)\)(?: (.*))?")
_NAME = re.compile(r"fn=\((\d+)\)(?: (.*))?")
_COST = re.compile(r"[+\-*\d]\S* (\d+)")


class ValgrindMissingError(BlueRingError):
    """Set-up couldn't fetch valgrind."""


def counted(runtime: Runtime, output: Path) -> Runtime:
    """The runtime, its instructions counted into ``output``, which is there when it has ended.

    Raises ValgrindMissingError.
    """
    if not os.access(_VALGRIND, os.X_OK):
        raise ValgrindMissingError("valgrind is not in .cache: run 'make setup'")
    options = ("-q", "--tool=callgrind", f"--callgrind-out-file={output}")
    whole = (*options, str(runtime.executable), *runtime.options)
    return replace(runtime, executable=_VALGRIND, options=whole)


def by_function(output: Path) -> dict[str, int]:
    """Instructions of each function, without those that it called, most first."""
    counts: dict[str, int] = {}
    for function, count in _costs(output, _NAME):
        # 'N: how deep it calls itself
        key = NATIVE if function.startswith(("0x", "???")) else function.split("'")[0]
        counts[key] = counts.get(key, 0) + count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def by_object(output: Path) -> dict[str, int]:
    """Instructions of each program or library by its path; of machine code in memory as ``???``."""
    counts: dict[str, int] = {}
    for path, count in _costs(output, _OBJECT):
        counts[path] = counts.get(path, 0) + count
    return counts


def _costs(output: Path, named: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """Each line's own cost, with the name that lines matching ``named`` gave last."""
    names: dict[str, str] = {}
    current, called = "", False
    for line in output.read_text().splitlines():
        name = named.match(line.removeprefix("c"))
        cost = _COST.fullmatch(line)
        if name:
            number, said = name.groups()
            if said:
                names[number] = said
            current = current if line.startswith("c") else names[number]
        elif line.startswith("calls="):
            called = True  # the next line is the cost of what was called
        elif cost and called:
            called = False
        elif cost:
            yield current, int(cost[1])

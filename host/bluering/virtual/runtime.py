"""Find the MicroPython runtimes that the firmware can run on, on this computer."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bluering import firmware
from bluering.errors import BlueRingError

# Set-up unpacks a 32-bit MicroPython here: the S3's word size, hence the truth.
_FETCHED_32 = Path(__file__).parents[3] / ".cache" / "micropython32" / "mpy32"
_VARIABLE = {64: "BLUERING_MICROPYTHON", 32: "BLUERING_MICROPYTHON32"}


class RuntimeMissingError(BlueRingError):
    """No MicroPython of the wanted word size is installed."""


@dataclass(frozen=True)
class Runtime:
    """A MicroPython and how the firmware runs on it.

    executable: the program; options: its first arguments; environment: added to this process's;
    search: folders of modules behind the board's flash; files: what lies in the flash beside
    board table, words and settings, by path; program: what a start runs.
    """

    executable: Path
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    search: tuple[Path, ...] = (firmware.SEARCH,)
    files: Mapping[str, bytes] = field(default_factory=dict)
    program: Path = firmware.MAIN

    def fill(self, flash: Path) -> None:
        """Write ``files`` into a board's flash, a folder; they take the place of what is there."""
        for name, data in self.files.items():
            path = flash / name.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            if path.suffix == ".mpy":
                path.with_suffix(".py").unlink(missing_ok=True)  # it would be found first


def installed(word_size: int, heap: int) -> Runtime:
    """The MicroPython of that word size with the firmware's sources and a heap of so many bytes;
    see ``find_micropython``."""
    return Runtime(find_micropython(word_size), options=("-X", f"heapsize={heap}"))


def find_micropython(word_size: int = 64) -> Path:
    """The MicroPython executable with 64- or 32-bit words.

    Looked for in the environment (``BLUERING_MICROPYTHON``, ``BLUERING_MICROPYTHON32``), then
    beside this Python, then on the PATH (64-bit), or in the project's cache folder (32-bit).
    """
    variable = _VARIABLE[word_size]
    named = os.environ.get(variable)
    candidates = [named] if named else _usual_places(word_size)
    for candidate in candidates:
        found = shutil.which(candidate) if candidate else None
        if found:
            return Path(found)
    where = f"{variable}={named} is not an executable" if named else "none was found"
    raise RuntimeMissingError(
        f"no {word_size}-bit MicroPython: {where}",
        f"run 'make setup' in the project's folder, or name one in {variable}",
    )


def _usual_places(word_size: int) -> list[str]:
    if word_size == 32:
        return [str(_FETCHED_32)]
    return [str(Path(sys.executable).with_name("micropython")), "micropython"]

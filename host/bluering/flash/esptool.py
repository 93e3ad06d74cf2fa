"""Espressif's esptool, run as a program of its own: its licence is the GPL."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bluering.boards.psram import Psram
from bluering.flash.errors import FlashError

CHIP = "ESP32-S3"
BAUD = 460800  # what every USB bridge can; native USB ignores it

# Called with the address that was written last.
Progress = Callable[[int], None]

_WRITING = re.compile(r"Writing at 0x([0-9a-fA-F]+)")
_SIZE = re.compile(r"Detected flash size:\s*(\d+)MB")
_MAC = re.compile(r"MAC:\s*([0-9a-f:]{17})")
_CONNECTED = re.compile(r"Connected to (\S+) on ")
_FEATURES = re.compile(r"Features:(.*)")
_PSRAM = re.compile(r"Embedded PSRAM (\d+)MB")
# By the size in MB of what is inside an ESP32-S3, as its datasheet lists the chips.
_WIDTHS: dict[str, Psram] = {"2": "quad", "8": "octal", "16": "octal"}
_FATAL = re.compile(r"A (?:fatal|serial exception) error occurred: (.*)")

_BOOT_MODE = (
    "Hold BOOT (or B), press and release RESET (or R), let BOOT go, and run the same command again"
)
# What esptool says, and what that means to the person at the terminal.
_EXPLANATIONS = (
    (r"Could not open", "it isn't there, or another program uses it"),
    (r"Failed to connect", f"the chip did not answer. {_BOOT_MODE}"),
    (r"MD5|md5", "the flash doesn't hold what was written to it. Run the same command again"),
    (
        r"[Ee]rrno|port|connection|responding|serial",
        "the connection broke: was the cable pulled? Plug it in and run the same command again",
    ),
)


@dataclass(frozen=True)
class Chip:
    """What is on the other end: flash size in bytes, the chip's factory address, its PSRAM.

    ``psram``: what is inside the chip, by its eFuses; None when they don't tell.
    """

    flash_size: int
    mac: str
    psram: Psram | None


class Loader:
    """A chip's boot loader behind a port; between two calls the chip stays in it.

    Leaving the ``with`` block restarts a chip that is still there, whatever happened in it.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self._port = port
        self._baud = baud
        self._entered = False
        self._chip: Chip | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        # A loader that was left in the middle of something may need to be entered anew.
        for before in ("no-reset", "default-reset"):
            if self._entered:
                # What was raised counts; a chip that is gone can't be restarted, nor need be.
                with suppress(FlashError):
                    self._run(("read-mac",), before=before, after="hard-reset")

    def identify(self) -> Chip:
        """Ask the chip, once, what it is. Raises FlashError, also for another chip."""
        if self._chip is None:
            said = self._run(("flash-id",))
            size, mac = _SIZE.search(said), _MAC.search(said)
            if not size or not mac:
                raise FlashError(f"the chip behind {self._port} doesn't tell the size of its flash")
            self._chip = Chip(int(size.group(1)) << 20, mac.group(1), _psram(said))
        return self._chip

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes of flash from ``offset``."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "read.bin")
            self._run(("read-flash", hex(offset), hex(size), str(file)))
            return file.read_bytes()

    def write(self, parts: Sequence[tuple[int, bytes]], progress: Progress) -> None:
        """Write each part to its address and check it by its hash; then restart the chip."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = []
            for number, (offset, data) in enumerate(parts):
                file = Path(folder, f"{number}.bin")
                file.write_bytes(data)
                arguments += [hex(offset), str(file)]
            self._run(("write-flash", *arguments), after="hard-reset", progress=progress)

    def _run(
        self,
        command: Sequence[str],
        before: str | None = None,
        after: str = "no-reset",
        progress: Progress | None = None,
    ) -> str:
        before = before or ("no-reset" if self._entered else "default-reset")
        options = ("--chip", "auto", "--port", self._port, "--baud", str(self._baud))
        resets = ("--before", before, "--after", after)
        with subprocess.Popen(
            [sys.executable, "-m", "esptool", *options, *resets, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "COLUMNS": "200"},
        ) as process:
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                if _CONNECTED.match(line):
                    self._entered = True
                elif line.startswith("Hard resetting"):
                    self._entered = False
                written = _WRITING.search(line)
                if progress and written:
                    progress(int(written.group(1), 16))
        said = "".join(lines)
        chip = _CONNECTED.search(said)
        if chip and chip.group(1) != CHIP:
            raise FlashError(f"{self._port}: the chip is an {chip.group(1)}, not an {CHIP}")
        if process.returncode:
            raise FlashError(self._explain(said))
        if not chip:
            raise FlashError(f"{self._port}: esptool doesn't tell which chip is there")
        return said

    def _explain(self, said: str) -> str:
        fatal = _FATAL.search(said)
        message = fatal.group(1).strip() if fatal else said.strip().rpartition("\n")[2]
        for pattern, meaning in _EXPLANATIONS:
            found = re.search(pattern, message)
            if found:
                return f"{self._port}: {found.expand(meaning)}. (esptool: {message})"
        return f"{self._port}: esptool failed: {message}"


def _psram(said: str) -> Psram | None:
    features = _FEATURES.search(said)
    if not features:
        return None
    if "Embedded PSRAM" not in features.group(1):
        return "none"
    size = _PSRAM.search(features.group(1))
    return _WIDTHS.get(size.group(1)) if size else None

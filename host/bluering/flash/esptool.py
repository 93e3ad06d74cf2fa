"""Espressif's esptool, run as a program of its own: its licence is the GPL."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bluering.flash.errors import FlashError

CHIP = "ESP32-S3"
BAUD = 460800  # what every USB bridge can; native USB ignores it

# Called with the address that was written last.
Progress = Callable[[int], None]

_WRITING = re.compile(r"Writing at 0x([0-9a-fA-F]+)")
_SIZE = re.compile(r"Detected flash size:\s*(\d+)MB")
_MAC = re.compile(r"MAC:\s*([0-9a-f:]{17})")
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
    """What is on the other end: flash size in bytes, and the chip's factory address."""

    flash_size: int
    mac: str


class Loader:
    """A chip's boot loader behind a port; between two calls the chip stays in it."""

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self._port = port
        self._baud = baud
        self._entered = False

    def identify(self) -> Chip:
        """Ask the chip what it is. Raises FlashError, also for another chip."""
        said = self._run(("flash-id",))
        size, mac = _SIZE.search(said), _MAC.search(said)
        if not size or not mac:
            raise FlashError(f"the chip behind {self._port} doesn't tell the size of its flash")
        return Chip(int(size.group(1)) << 20, mac.group(1))

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
        self, command: Sequence[str], after: str = "no-reset", progress: Progress | None = None
    ) -> str:
        before = "no-reset" if self._entered else "default-reset"
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
                written = _WRITING.search(line)
                if progress and written:
                    progress(int(written.group(1), 16))
        said = "".join(lines)
        if process.returncode:
            raise FlashError(self._explain(said))
        self._entered = True
        self._check_chip(said)
        return said

    def _check_chip(self, said: str) -> None:
        kind = re.search(r"Chip type:\s*(\S+)", said)
        if kind and not kind.group(1).startswith(CHIP):
            raise FlashError(f"{self._port}: the chip is an {kind.group(1)}, not an {CHIP}")

    def _explain(self, said: str) -> str:
        fatal = _FATAL.search(said)
        message = fatal.group(1).strip() if fatal else said.strip().rpartition("\n")[2]
        for pattern, meaning in _EXPLANATIONS:
            found = re.search(pattern, message)
            if found:
                return f"{self._port}: {found.expand(meaning)}. (esptool: {message})"
        return f"{self._port}: esptool failed: {message}"

"""Start the firmware on MicroPython's unix port and hold its wires: sound, light, switches, link."""

import os
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import ear

from bluering import boards
from bluering.boards import table
from bluering.errors import BlueRingError
from bluering.models.packaged import CompiledWord
from bluering.virtual.runtime import find_micropython

Pace = Literal["real", "fast"]

FIRMWARE = Path(ear.__file__).parents[1]
_STANDINS = Path(__file__).with_name("standins")
_HEAP = "2m"  # as much as a board with PSRAM has to spare, and far more than is used
_LIGHT_HEAD = struct.Struct("<IH")


class VirtualBoardError(BlueRingError):
    """The firmware on the virtual board stopped by itself, or could not be started."""


@dataclass(frozen=True)
class Light:
    """One write to the LEDs: when, in hops of sound heard, and each LED's red, green, blue."""

    hops: int
    pixels: tuple[tuple[int, int, int], ...]


class VirtualBoard:
    """A running virtual board; a context manager.

    ``words`` are the models it listens with; ``sound`` gives blocks of 16 kHz mono int16
    little-endian bytes; the firmware ends when they end. ``pace`` is real time, or as fast as
    it goes: then the firmware waits for whoever reads the link, and loses nothing.
    ``to_device`` and ``from_device`` are the two directions of its link.
    """

    def __init__(
        self,
        words: Iterable[CompiledWord],
        sound: Iterable[bytes],
        *,
        pace: Pace = "fast",
        word_size: int = 64,
        board: str = "virtual",
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bluering-")
        self._light = tempfile.TemporaryFile()
        self._led_order = _fill(Path(self._folder.name), words, board)
        self._sound = sound
        self._pace = pace
        self._runtime = find_micropython(word_size)
        self._stopping = threading.Event()

    def __enter__(self) -> "VirtualBoard":
        sound_in, self._sound_out = os.pipe()
        switch_in, self._switch_out = os.pipe()
        passed = (sound_in, switch_in, self._light.fileno())
        self._process = subprocess.Popen(
            [str(self._runtime), "-X", f"heapsize={_HEAP}", str(FIRMWARE / "main.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self._folder.name,
            env=self._environment(sound_in, switch_in),
            pass_fds=passed,
            start_new_session=True,
        )
        os.close(sound_in)
        os.close(switch_in)
        assert self._process.stdin and self._process.stdout
        self.to_device: IO[bytes] = self._process.stdin
        self.from_device: IO[bytes] = self._process.stdout
        self._feeder = threading.Thread(target=self._feed, name="sound", daemon=True)
        self._feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._process.kill()
        self._process.wait()
        self._feeder.join(timeout=5)
        os.close(self._switch_out)
        for stream in (self.to_device, self.from_device, self._process.stderr, self._light):
            if stream:
                stream.close()
        self._folder.cleanup()

    def _environment(self, sound_in: int, switch_in: int) -> dict[str, str]:
        search = (_STANDINS, self._folder.name, FIRMWARE, ".frozen")
        return {
            **os.environ,
            "MICROPYPATH": ":".join(map(str, search)),
            "BLUERING_SOUND_FD": str(sound_in),
            "BLUERING_SWITCH_FD": str(switch_in),
            "BLUERING_LIGHT_FD": str(self._light.fileno()),
            "BLUERING_PACE": self._pace,
        }

    def _feed(self) -> None:
        try:
            with os.fdopen(self._sound_out, "wb", buffering=0) as pipe:
                for block in self._sound:
                    if self._stopping.is_set():
                        return
                    pipe.write(block)
        except BrokenPipeError:
            pass  # the firmware ended first; wait() says why

    def switch(self, pin: int, level: int) -> None:
        """Set an input pin of the board."""
        os.write(self._switch_out, bytes((pin, level)))

    def lights(self) -> Iterator[Light]:
        """Every write to the LEDs so far, oldest first."""
        data = os.pread(self._light.fileno(), 1 << 30, 0)
        at = 0
        while at + _LIGHT_HEAD.size <= len(data):
            hops, length = _LIGHT_HEAD.unpack_from(data, at)
            at += _LIGHT_HEAD.size
            yield Light(hops, tuple(self._colours(data[at : at + length])))
            at += length

    def _colours(self, wire: bytes) -> Iterator[tuple[int, int, int]]:
        red, green, blue = self._led_order
        for at in range(0, len(wire) - 2, 3):
            yield wire[at + red], wire[at + green], wire[at + blue]

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the firmware to end by itself. Raises VirtualBoardError when it failed."""
        code = self._process.wait(timeout)
        if code:
            assert self._process.stderr
            last_words = self._process.stderr.read().decode(errors="replace").strip()
            raise VirtualBoardError(
                f"the firmware on the virtual board stopped with exit code {code}: "
                f"{last_words or 'it printed nothing'}"
            )


def _fill(folder: Path, words: Iterable[CompiledWord], board_name: str) -> tuple[int, int, int]:
    """Write what a board's flash holds beside the firmware; returns the LEDs' colour order."""
    board = boards.load(board_name)
    (folder / f"{table.MODULE}.py").write_text(table.source(board))
    models = folder / "models"
    models.mkdir()
    for word in words:
        (models / f"{word.name}.ear").write_bytes(word.blob)
        (models / f"{word.name}.json").write_text(word.manifest.model_dump_json())
    order = table.table(board)["led_order"]
    assert isinstance(order, tuple)
    return order

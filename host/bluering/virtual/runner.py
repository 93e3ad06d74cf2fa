"""Start the firmware on MicroPython's unix port and hold its wires."""

import os
import struct
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Literal

import ear
from bluering import boards
from bluering.boards import Board, table
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
        self._words = list(words)
        self._sound = sound
        self._pace = pace
        self._runtime = find_micropython(word_size)
        self._board = boards.load(board)
        self._stopping = threading.Event()
        self._failure: BlueRingError | None = None

    def __enter__(self) -> "VirtualBoard":
        with ExitStack() as opened:
            folder = Path(opened.enter_context(TemporaryDirectory(prefix="bluering-")))
            fill(folder, self._words, self._board)
            self._light = opened.enter_context(TemporaryFile())
            sound_in, sound_out = os.pipe()
            switch_in, self._switch_out = os.pipe()
            opened.callback(os.close, self._switch_out)
            self._process = opened.enter_context(self._start(folder, sound_in, switch_in))
            opened.callback(self._process.kill)
            os.close(sound_in)
            os.close(switch_in)
            self._feeder = threading.Thread(
                target=self._feed, args=(sound_out,), name="sound", daemon=True
            )
            self._feeder.start()
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._opened.close()
        self._feeder.join(timeout=5)

    @property
    def to_device(self) -> IO[bytes]:
        """The direction of the link that the firmware reads."""
        assert self._process.stdin
        return self._process.stdin

    @property
    def from_device(self) -> IO[bytes]:
        """The direction of the link that the firmware writes."""
        assert self._process.stdout
        return self._process.stdout

    def _start(self, folder: Path, sound_in: int, switch_in: int) -> subprocess.Popen[bytes]:
        light = self._light.fileno()
        search = (_STANDINS, folder, FIRMWARE, ".frozen")
        wires = {"SOUND_FD": sound_in, "SWITCH_FD": switch_in, "LIGHT_FD": light}
        return subprocess.Popen(
            [str(self._runtime), "-X", f"heapsize={_HEAP}", str(FIRMWARE / "main.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env={
                **os.environ,
                "MICROPYPATH": ":".join(map(str, search)),
                "BLUERING_PACE": self._pace,
                **{f"BLUERING_{name}": str(fd) for name, fd in wires.items()},
            },
            pass_fds=tuple(wires.values()),
            start_new_session=True,
        )

    def _feed(self, sound_out: int) -> None:
        try:
            # A broken pipe: the firmware ended first, and wait() says why.
            with suppress(BrokenPipeError), os.fdopen(sound_out, "wb") as pipe:
                for block in self._sound:
                    if self._stopping.is_set():
                        return
                    pipe.write(block)
        except BlueRingError as error:
            self._failure = error

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
        order = table.table(self._board)["led_order"]
        assert isinstance(order, tuple)
        red, green, blue = order
        for at in range(0, len(wire) - 2, 3):
            yield wire[at + red], wire[at + green], wire[at + blue]

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the firmware to end by itself.

        Raises VirtualBoardError when it failed, or what made the sound end too early.
        """
        code = self._process.wait(timeout)
        if self._failure:
            raise self._failure
        if code:
            assert self._process.stderr
            last_words = self._process.stderr.read().decode(errors="replace").strip()
            raise VirtualBoardError(
                f"the firmware on the virtual board stopped with exit code {code}: "
                f"{last_words or 'it printed nothing'}"
            )


def fill(folder: Path, words: Iterable[CompiledWord], board: Board) -> None:
    """Write what a board's flash holds beside the firmware: its table and its words."""
    (folder / f"{table.MODULE}.py").write_text(table.source(board))
    models = folder / "models"
    models.mkdir()
    for word in words:
        (models / f"{word.name}.ear").write_bytes(word.blob)
        (models / f"{word.name}.json").write_text(word.manifest.model_dump_json())

"""Start the firmware on MicroPython's unix port and hold its wires."""

import json
import math
import os
import secrets
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Literal

from bluering import boards
from bluering.boards import Board, table
from bluering.errors import BlueRingError
from bluering.models.packaged import CompiledWord
from bluering.virtual import cable
from bluering.virtual.limits import Limits, Pace, limits
from bluering.virtual.runtime import Runtime, installed

ResetCause = Literal["power", "reset", "watchdog"]

_STANDINS = Path(__file__).with_name("standins")
_RESET_CODE = 85  # the stand-in's machine.reset() ends the process with it
_LIGHT_HEAD = struct.Struct("<IH")
_LAST_WORDS = 4096
_GUARD_S = 0.2  # between two looks at the watchdog
_BEATS_READ = 4096  # an even number: a beat has two bytes


class VirtualBoardError(BlueRingError):
    """The firmware on the virtual board stopped by itself, or could not be started."""


@dataclass(frozen=True)
class Identity:
    """What a device gets when it is provisioned: an id of 8 bytes and a key of 32."""

    id: bytes
    key: bytes


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
    ``settings`` are the owner's (see ``ear.settings``), the defaults where none are given.
    ``identity`` is who it is, somebody new unless given; then ``starts`` must be higher each time,
    as the count in a board's flash is. ``program`` is what it runs, the firmware's main.py unless
    told otherwise. ``runtime`` is the MicroPython to run it on, with ``word_size`` bits and the
    heap of the board's image unless given.

    It has no more than the board (see ``limits``): heap, link, console input, time for flash. As
    fast as it goes the heap alone is limited; ``roomy`` lifts all of it, and tells the firmware
    that its link has no limit.
    """

    def __init__(
        self,
        words: Iterable[CompiledWord],
        sound: Iterable[bytes],
        *,
        pace: Pace = "fast",
        word_size: int = 64,
        board: str = "virtual",
        settings: Mapping[str, object] | None = None,
        identity: Identity | None = None,
        starts: int = 0,
        program: Path | None = None,
        runtime: Runtime | None = None,
        roomy: bool = False,
    ) -> None:
        self._words = list(words)
        self._settings = dict(settings or {})
        self.identity = identity or Identity(secrets.token_bytes(8), secrets.token_bytes(32))
        self._starts = starts
        self._sound = sound
        self._pace = pace
        self._board = boards.load(board)
        self._limits = limits(self._board, word_size, pace, roomy)
        if roomy:
            usb = self._board.usb.model_copy(update={"link_rate": 0})
            self._board = self._board.model_copy(update={"usb": usb})
        self._runtime = runtime or installed(word_size, self._limits.heap)
        self._program = program or self._runtime.program
        self._levels: dict[int, int] = {}  # what was set: a reset moves no switch
        self._stopping = threading.Event()
        self._ordered: ResetCause | None = None
        self._failure: BlueRingError | None = None

    def __enter__(self) -> "VirtualBoard":
        with ExitStack() as opened:
            self.flash = Path(opened.enter_context(TemporaryDirectory(prefix="bluering-")))
            fill(self.flash, self._words, self._board)
            self._runtime.fill(self.flash)
            provision(self.flash, self.identity, self._settings, self._starts)
            self._light = opened.enter_context(TemporaryFile())
            self._stderr = opened.enter_context(TemporaryFile())
            self._wires, ours = _open_wires(opened, self._limits)
            self._switches, self.to_device, self.from_device, self._beats = ours
            opened.callback(self._switch_off)
            self._process = self._start("power")
            self._supervisor = _thread("supervisor", self._supervise)
            self._feeder = _thread("sound", self._feed)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def _switch_off(self) -> None:
        self._stopping.set()
        self._process.kill()
        self._supervisor.join(timeout=5)
        self._feeder.join(timeout=5)

    def _start(self, cause: ResetCause) -> subprocess.Popen[bytes]:
        wires = self._wires
        self._in_repl = self._asks_for_repl()
        inspect = ["-i"] if self._in_repl else []
        runtime = self._runtime
        search = (_STANDINS, self.flash, *runtime.search, ".frozen")
        fds = {
            "SOUND_FD": wires.sound_in,
            "SWITCH_FD": wires.switch_in,
            "BEAT_FD": wires.beat_out,
            "LIGHT_FD": self._light.fileno(),
        }
        return subprocess.Popen(
            [str(runtime.executable), *runtime.options, *inspect, str(self._program)],
            stdin=wires.link_in,
            stdout=wires.link_out,
            stderr=self._stderr,
            cwd=self.flash,
            env={
                **os.environ,
                **runtime.environment,
                "MICROPYPATH": ":".join(map(str, search)),
                "BLUERING_PACE": self._pace,
                "BLUERING_RESET_CAUSE": cause,
                "BLUERING_FLASH_WRITE_MS": str(self._limits.flash_write_ms),
                **{f"BLUERING_{name}": str(fd) for name, fd in fds.items()},
            },
            pass_fds=tuple(fds.values()),
            start_new_session=True,
        )

    def _asks_for_repl(self) -> bool:
        """Whether this start leads to the REPL, where a board's console is; ours is asked for."""
        storage = json.loads((self.flash / "nvs.json").read_text())
        return bool(storage.get("bluering_boot", {}).get("to_repl"))

    def _supervise(self) -> None:
        """Start the firmware again whenever it resets; when it ends, let its wires end too."""
        while (cause := self._guard()) and not self._stopping.is_set():
            for pin, level in tuple(self._levels.items()):
                self._switches.write(bytes((pin, level)))
            self._process = self._start(cause)
        self._wires.close()

    def _guard(self) -> ResetCause | None:
        """Wait until the firmware ends; kill it, as a watchdog would, when it isn't fed.

        Returns why it is to start again, or None when it is not.
        """
        self._newest_deadline()  # of the run before: forgotten
        deadline = math.inf
        while True:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(_GUARD_S)
                if self._ordered:
                    cause, self._ordered = self._ordered, None
                    return cause
                return "reset" if code == _RESET_CODE or self._in_repl else None
            deadline = self._newest_deadline() or deadline
            if time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                return "watchdog"

    def _newest_deadline(self) -> float | None:
        """Until when the watchdog must be fed again; None when it was not fed just now."""
        if not select.select([self._beats], [], [], 0)[0]:
            return None
        beats = self._beats.read(_BEATS_READ)
        (timeout_ms,) = struct.unpack("<H", beats[-2:])
        return time.monotonic() + timeout_ms / 1000

    def _feed(self) -> None:
        try:
            # A broken pipe: the firmware ended first, and wait() says why.
            with suppress(BrokenPipeError), os.fdopen(self._wires.sound_out, "wb") as pipe:
                for block in self._sound:
                    if self._stopping.is_set():
                        return
                    pipe.write(block)
        except BlueRingError as error:
            self._failure = error

    @property
    def running(self) -> bool:
        """Whether the firmware is still running, or about to start again."""
        return self._supervisor.is_alive()

    def restart(self, cause: ResetCause = "reset") -> None:
        """Press the reset button, or cut the power and give it back, whatever runs now."""
        self._ordered = cause
        self._process.kill()

    def switch(self, pin: int, level: int) -> None:
        """Set an input pin of the board."""
        self._levels[pin] = level
        self._switches.write(bytes((pin, level)))

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
        self._supervisor.join(timeout)
        code = self._process.returncode
        if self._failure:
            raise self._failure
        if code:
            size = os.fstat(self._stderr.fileno()).st_size
            start = max(0, size - _LAST_WORDS)
            last_words = os.pread(self._stderr.fileno(), _LAST_WORDS, start).decode().strip()
            raise VirtualBoardError(
                f"the firmware on the virtual board stopped with exit code {code}: "
                f"{last_words or 'it printed nothing'}"
            )


@dataclass
class _Wires:
    """The device's ends of the pipes, and the one end that the feeding thread closes."""

    sound_in: int
    switch_in: int
    link_in: int
    link_out: int
    beat_out: int
    sound_out: int

    def close(self) -> None:
        ends = (self.sound_in, self.switch_in, self.link_in, self.link_out, self.beat_out)
        for fd in ends:
            os.close(fd)


def _open_wires(opened: ExitStack, limits: Limits) -> tuple[_Wires, list[IO[bytes]]]:
    """The wires, and our ends: switches, link to and from the device, the watchdog's beats."""
    sound_in, sound_out = os.pipe()
    switch_in, switch_out = os.pipe()
    link_in, to_device = os.pipe()
    if limits.link_in:
        to_device = cable.inward(to_device, limits.link_in, limits.input_ring)
    from_device, link_out = os.pipe()
    if limits.link_out:
        from_device = cable.outward(from_device, limits.link_out)
    beats, beat_out = os.pipe()
    ours = ((switch_out, "wb"), (to_device, "wb"), (from_device, "rb"), (beats, "rb"))
    files = [opened.enter_context(os.fdopen(fd, mode, 0)) for fd, mode in ours]
    return _Wires(sound_in, switch_in, link_in, link_out, beat_out, sound_out), files


def _thread(name: str, target) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def fill(folder: Path, words: Iterable[CompiledWord], board: Board) -> None:
    """Write what a board's flash holds beside the firmware: its table and its words."""
    (folder / f"{table.MODULE}.py").write_text(table.source(board))
    models = folder / "models"
    models.mkdir()
    for word in words:
        (models / f"{word.name}.ear").write_bytes(word.blob)
        (models / f"{word.name}.json").write_text(word.manifest.model_dump_json())


def provision(
    folder: Path, identity: Identity, settings: Mapping[str, object], starts: int = 0
) -> None:
    """Write what makes a board somebody's: its identity and the number of its starts so far, in
    the NVS, and the owner's settings."""
    storage = {"id": identity.id.hex(), "key": identity.key.hex(), "boot": starts}
    (folder / "nvs.json").write_text(json.dumps({"bluering": storage}))
    (folder / "settings.json").write_text(json.dumps(settings))

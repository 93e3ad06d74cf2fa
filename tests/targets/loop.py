"""Python's part of the application's loop, in i386 instructions, the same on every computer.

The bytecode is the one that a chip gets, run by MicroPython with 32-bit words under valgrind.
Kernels cost nothing there, and of the board, its clock and its random numbers nothing is left that
differs from run to run (``free_board``, ``tests/device/loop_cost.py``). What hops cost is the
difference between two runs. Viper code without a native twin is in it; AES and SHA-256 aren't: on
a chip they are done by other means. Frames are counted, with their bytes, and not sealed.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from bluering.virtual.runtime import Runtime, find_micropython
from tests.targets import callgrind, loop_flash

Doing = Literal["listen", "speak", "record", "mute"]

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
# With one word about what a chip without PSRAM has: what a collection costs depends on it.
_HEAPS = {1: "256k", 3: "512k"}
_CRYPTO = "libmbedcrypto"
_SCRIPT = "loop_cost.py"
_BASE_SCRIPT = "loop_cost_base.py"
_OVER = re.compile(r"(\d+) (\d+) (\d+)(?: (\d+) (\d+))?\s*$")
# Microseconds between two looks at the clock, of which a hop has two and a rest two.
_STEPS = {"mute": 30_000}
_STEP = 5_000
# Hops of the two runs. The difference holds as many rounds of the loop as it can: while listening
# all that happens once a minute, the look at the free heap included.
_HOPS = {"listen": (102, 6222), "speak": (102, 6222), "record": (200, 1200), "mute": (99, 399)}


@dataclass(frozen=True)
class Hop:
    """What a hop of 10 ms takes: i386 instructions, and frames with their messages' bytes.

    No frames where they are sealed in viper, among the instructions.
    """

    i386: float
    frames: float
    sealed: float


def python_per_hop(doing: Doing, words: list[str], base: Path | None = None) -> Hop:
    """What a hop takes, with those words on a board.

    base: the sources of the commit that is compared with, where it isn't this one.
    Raises RuntimeMissingError, ValgrindMissingError.
    """
    with TemporaryDirectory() as folder:
        flash = Path(folder, "flash")
        flash.mkdir()
        record = doing == "record"
        if base:
            _write_from(base, flash, record, words)
        else:
            loop_flash.write(flash, record, words)
        script = _ROOT / "tests" / "device" / (_BASE_SCRIPT if base else _SCRIPT)
        heap = _HEAPS[len(words)]
        first, second = (_run(flash, script, doing, hops, heap) for hops in _HOPS[doing])
    hops, *spent = (late - early for early, late in zip(first, second, strict=True))
    return Hop(*(one / hops for one in spent))


def _write_from(base: Path, flash: Path, record: bool, words: list[str]) -> None:
    sources = os.pathsep.join(str(base / part) for part in ("host", "firmware"))
    does = "record" if record else "listen"
    subprocess.run(
        [sys.executable, loop_flash.__file__, flash, does, *words],
        env={**os.environ, "PYTHONPATH": sources},
        cwd=base,
        check=True,
    )


def _run(flash: Path, script: Path, doing: str, hops: int, heap: str) -> tuple[int, ...]:
    """The hops that were done; instructions from the first to the last; frames; their bytes."""
    output = flash.with_name(f"{hops}.callgrind")
    runtime = callgrind.counted(_runtime(heap), output)
    search = (_HERE / "free_board", flash)
    process = subprocess.Popen(
        [str(runtime.executable), *runtime.options, str(script), doing, str(hops)],
        stdin=subprocess.PIPE,  # nothing ever comes
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=flash,
        env={
            **os.environ,
            "MICROPYPATH": ":".join([*map(str, search), ".frozen"]),
            "BLUERING_CLOCK_STEP": str(_STEPS.get(doing, _STEP)),
        },
    )
    assert process.stderr
    with process:
        said = process.stderr.read().decode()
    over = _OVER.search(said)
    assert process.returncode == 0, f"{script.name} failed:\n{said[-4000:]}"
    assert over, said
    done, _state, gaps, frames, sealed = (int(number or 0) for number in over.groups())
    assert not gaps, "the microphone counted a gap"
    spent = callgrind.by_object(output)
    crypto = sum(count for name, count in spent.items() if _CRYPTO in name)
    return done, sum(spent.values()) - crypto, frames, sealed


def _runtime(heap: str) -> Runtime:
    """The 32-bit MicroPython itself: valgrind doesn't follow the script that starts it."""
    found = Runtime(find_micropython(32), options=("-X", f"heapsize={heap}"))
    usr = found.executable.with_name("usr")
    loader = usr / "lib" / "ld-linux.so.2"
    if not loader.exists():
        return found
    libraries = usr / "lib" / "i386-linux-gnu"
    whole = ("--library-path", str(libraries), str(usr / "bin" / "micropython"), *found.options)
    return replace(found, executable=loader, options=whole)

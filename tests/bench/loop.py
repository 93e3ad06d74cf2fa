"""``python -m tests.bench.loop [--base COMMIT]``: what the whole loop takes, by part.

How it is counted, and what it is to mean on a chip, stands in docs/cost.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bluering.errors import BlueRingError
from ear.spotter.format import read_header
from tests.bench import native, recording
from tests.peers import every_model
from tests.targets import loop

BASE = "ee0624d"
"""The commit whose loop was counted part by part on an emulated ESP32-S3."""

# Counted there, in instructions a hop of 10 ms with one word.
DRIVER = 70_000  # I2S, interrupts and the system's ticks: nothing that the application is made of
ON_CHIP = 240_000  # all of it
_PYTHON_ON_CHIP = 103_000  # what kernels, narrowing and driver leave of it
# The same Python by the rule of ``tests.targets.loop``.
PYTHON_AT_BASE = 136_091
XTENSA_PER_I386 = _PYTHON_ON_CHIP / PYTHON_AT_BASE

WORDS: list[str] = list(native.WORDS)
HOPS_PER_SECOND = 100
_FRAMES = (20, native.CHUNK_MESSAGE)  # messages by which a frame's share is told from its bytes'
_ROOT = Path(__file__).parents[2]
_KERNELS = """
import json
from tests.bench import native
hop, steps = native.native_hop(), {name: native.native_step(name) for name in native.WORDS}
print(json.dumps([hop.total(), {name: step.total() for name, step in steps.items()}]))
"""


class CommitMissingError(BlueRingError):
    """The commit to compare with isn't in this folder's history."""


@dataclass(frozen=True)
class Cost:
    """Instructions a hop: each part of the loop, and Python's as i386 counts them."""

    parts: dict[str, float]
    i386: float

    def total(self) -> float:
        """On a chip: Python's part by ``XTENSA_PER_I386``."""
        return sum(self.parts.values())

    def share(self) -> float:
        """Of a core at 240 MHz, at one instruction a cycle."""
        return self.total() * HOPS_PER_SECOND / native.CORE_HZ


def listening(words: list[str], base: Path | None = None) -> Cost:
    """A hop in which nothing is heard. base: the sources of ``BASE``, where it is about them.

    Raises QemuMissingError, RuntimeMissingError, ValgrindMissingError.
    """
    return _cost("listen", words, base)


def recorded(words: list[str], base: Path | None = None) -> Cost:
    """A hop of a recording that the link takes as it comes. Raises as ``listening`` does, and
    CompilerMissingError."""
    cost = _cost("record", words, base)
    counts = recording.instructions_per_second() if base else recording.native_per_second()
    crypto = sum(count for count, _ in recording.encryption_per_second().values())
    parts = {"ADPCM": counts["ADPCM"] / HOPS_PER_SECOND, "AES, SHA-256": crypto / HOPS_PER_SECOND}
    return Cost({**cost.parts, **parts}, cost.i386)


def muted(words: list[str]) -> float:
    """Instructions a second while the microphone is off; waiting is free. Raises as ``listening``
    does."""
    hop = loop.python_per_hop("mute", words)
    return HOPS_PER_SECOND * (hop.i386 * XTENSA_PER_I386 + _sealing(hop))


def _cost(doing: loop.Doing, words: list[str], base: Path | None) -> Cost:
    front_end, models = _kernels_at(base) if base else _kernels()
    viper, scalar = native.narrowing()
    hop = loop.python_per_hop(doing, words, base)
    parts = {
        "driver, from the table": DRIVER,
        "front end": front_end,
        "models": sum(models[word] for word in words),
        "narrowing": (viper if base else scalar).total(),
        "frames": _sealing(hop),
        "Python": hop.i386 * XTENSA_PER_I386,
    }
    return Cost(parts, hop.i386)


def _sealing(hop: loop.Hop) -> float:
    """Instructions to seal a hop's frames: what each takes beside its bytes, and its bytes."""
    if not hop.frames:
        return 0
    few, many = (native.sealing(size)[1].total() for size in _FRAMES)
    byte = (many - few) / (_FRAMES[1] - _FRAMES[0])
    return hop.frames * (few - byte * _FRAMES[0]) + hop.sealed * byte


@cache
def _kernels() -> tuple[float, dict[str, float]]:
    """Of the front end and of each model, a hop; ``run`` is among both."""
    strides = {name: read_header(every_model()[name].blob).stride for name in WORDS}
    models = {name: native.native_step(name).total() / strides[name] for name in WORDS}
    return native.native_hop().total(), models


@cache
def _kernels_at(base: Path) -> tuple[float, dict[str, float]]:
    """The same of the base commit, counted by its own benchmark."""
    sources = os.pathsep.join(str(path) for path in (base, base / "host", base / "firmware"))
    said = subprocess.run(
        [sys.executable, "-c", _KERNELS],
        env={**os.environ, "PYTHONPATH": sources},
        cwd=base,
        check=True,
        capture_output=True,
        text=True,
    )
    front_end, steps = json.loads(said.stdout)
    strides = {name: read_header(every_model()[name].blob).stride for name in WORDS}
    return front_end, {name: steps[name] / strides[name] for name in steps}


@contextmanager
def sources_of(commit: str) -> Iterator[Path]:
    """The sources of a commit, in a folder of their own for as long as that is open.

    Raises CommitMissingError.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        git = ["git", "-C", str(_ROOT), "worktree"]
        subprocess.run(
            [*git, "add", "--detach", str(tree), commit], check=True, capture_output=True
        )
        try:
            (tree / ".cache").symlink_to((_ROOT / ".cache").resolve())
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True, capture_output=True)


def main(arguments: list[str] | None = None) -> None:
    """Print the tables. Raises as ``recorded`` and ``sources_of`` do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE, help="the commit to compare with")
    commit = parser.parse_args(arguments).base
    console = Console(width=100)
    with sources_of(commit) as base:
        for count in (1, len(WORDS)):
            words = WORDS[:count]
            title = f"listening for {', '.join(words)}: instructions a hop"
            console.print(_table(title, commit, listening(words, base), listening(words)), "")
        title = "recording, one word: instructions a hop"
        console.print(_table(title, commit, recorded(WORDS[:1], base), recorded(WORDS[:1])), "")
    rate = muted(WORDS[:1])
    console.print(
        f"muted: {rate:,.0f} instructions a second, {rate / native.CORE_HZ:.1%} of a core"
    )
    console.print(f"Python: {XTENSA_PER_I386:.3f} Xtensa instructions for one of i386")


def _table(title: str, commit: str, before: Cost, now: Cost) -> Table:
    table = Table(title, f"at {commit}", "now", "ratio", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for name in now.parts:
        table.add_row(name, *_pair(before.parts[name], now.parts[name]))
    table.add_row("all", *_pair(before.total(), now.total()), style="bold")
    shares = (f"{cost.share():.1%}" for cost in (before, now))
    table.add_row("of a core at 240 MHz", *shares)
    table.add_row("Python, in i386 instructions", *_pair(before.i386, now.i386), style="dim")
    return table


def _pair(before: float, now: float) -> tuple[str, str, str]:
    return f"{before:,.0f}", f"{now:,.0f}", f"{now / before:.2f}" if before else ""


if __name__ == "__main__":
    try:
        main()
    except BlueRingError as error:
        sys.exit(str(error))

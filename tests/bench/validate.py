"""``python -m tests.bench.validate``: what `bluering validate` costs on this computer.

--corpus DIR   recordings to measure on (default: the shared development corpus)
--share N      every Nth recording only
--hours N      also hear one recording of so many hours, and tell the memory that it took

Figures are processor time, which other programs on the machine disturb little; the clock's are
told beside them.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile as sf
import typer
from rich.console import Console

from bluering.samples import Samples
from bluering.sound_files import RATE, stream
from bluering.validate.choose import choose_model
from bluering.validate.corpus import Recording
from bluering.validate.engines import EngineSpec, Probabilities, engine_spec, open_engine
from bluering.validate.plan import Part
from bluering.validate.reference import open_reference
from bluering.validate.runner import Processes, run
from bluering.validate.session import prepare
from bluering.validate.store import Store
from tests.bench.peers import PymicroWakeword
from tests.peers import peer
from tests.silent import Silent

_CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "dev"
_PIECE_SECONDS = 600.0  # that the engines hear turn by turn


def main(
    corpus: Annotated[Path, typer.Option(help="As for bluering validate.")] = _CORPUS,
    share: Annotated[int, typer.Option(help="Every Nth recording only.")] = 1,
    hours: Annotated[float, typer.Option(help="Of one long recording, for the memory.")] = 0.0,
) -> None:
    """Print the figures."""
    console = Console()
    spec = engine_spec("reference", (choose_model(str(peer("alexa"))),))  # what the peer runs
    prepared = prepare(corpus, spec, ["clean"], seed=1)
    ours, theirs = _turn_by_turn(spec, prepared.corpus.recordings[::share])
    console.print(
        f"{ours.seconds / 3600:.2f} h of audio, decoding aside: reference {ours.ms:.2f} ms of "
        f"processor time per second, pymicro-wakeword's own loop {theirs.ms:.2f}: "
        f"{theirs.ms / ours.ms:.2f} times as fast"
    )
    parts = prepared.plan.streams[::share]
    one, two = (_processes(parts, spec, jobs) for jobs in (1, 2))
    console.print(
        f"negatives, decoding included: --jobs 1 {one.busiest:.1f} s of processor time, --jobs 2 "
        f"{two.busiest:.1f} s in the busier process: {one.busiest / two.busiest:.2f} times as fast "
        f"on two free cores; by the clock {one.clock:.1f} s and {two.clock:.1f} s, "
        f"{one.clock / two.clock:.2f} times"
    )
    if hours:
        console.print(f"one recording of {hours:g} h: {long_recording_megabytes(hours):.0f} MB")


def long_recording_megabytes(hours: float) -> float:
    """The most memory that a whole run takes on one recording of so many hours."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus" / "negatives" / "noise" / "long.wav"
        path.parent.mkdir(parents=True)
        _write_long(path, hours)
        command = ["--model", "alexa", "--corpus", str(path.parents[2]), "-o", f"{folder}/report"]
        child = [sys.executable, "-m", __spec__.name, "validate", *command]
        done = subprocess.run(child, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1]) / 1024


def _peak_kilobytes() -> int:
    """The most memory that this process held. (ru_maxrss counts its parent's before exec too.)"""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


@dataclass
class _Cost:
    """What an engine took for so much audio."""

    processor: float = 0.0  # seconds
    seconds: float = 0.0  # of audio

    @property
    def ms(self) -> float:
        return 1000 * self.processor / self.seconds


def _turn_by_turn(spec: EngineSpec, recordings: list[Recording]) -> tuple[_Cost, _Cost]:
    """Ours and pymicro-wakeword's loop on the same pieces, each going first every other time."""
    pairs = ((open_engine(spec), _Cost()), (PymicroWakeword(), _Cost()))
    for engine, _ in pairs:
        engine.listen([np.zeros(RATE, np.int16)])  # imports and loads what it needs
    for number, piece in enumerate(_pieces(recordings)):
        for engine, cost in pairs[:: (-1) ** number]:
            start = time.process_time()
            engine.listen(piece)
            cost.processor += time.process_time() - start
            cost.seconds += sum(map(len, piece)) / RATE
    return pairs[0][1], pairs[1][1]


def _pieces(recordings: list[Recording]) -> Iterator[list[Samples]]:
    """All recordings one after the other, decoded, in pieces that fit the memory."""
    piece: list[Samples] = []
    for recording in recordings:
        piece += stream(recording.path)
        if sum(map(len, piece)) >= _PIECE_SECONDS * RATE:
            yield piece
            piece = []
    if piece:
        yield piece


@dataclass
class _Work:
    """What so many processes took."""

    clock: float  # seconds
    busiest: float  # seconds of processor time in the process that worked most


class _Counted:
    """The reference, which writes down how long its process has worked."""

    def __init__(self, spec: EngineSpec) -> None:
        self._engine = open_reference(spec)
        self._start = time.process_time()
        self._path = Path(spec.argument) / str(os.getpid())
        self.strides = self._engine.strides

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        heard = self._engine.listen(blocks)
        self._path.write_text(str(time.process_time() - self._start))
        return heard


def open_counted(spec: EngineSpec) -> _Counted:
    """For EngineSpec, whose argument is the folder for the figures."""
    return _Counted(spec)


def _processes(parts: tuple[Part, ...], spec: EngineSpec, jobs: int) -> _Work:
    with tempfile.TemporaryDirectory() as figures, tempfile.TemporaryDirectory() as folder:
        counted = replace(spec, opener="tests.bench.validate:open_counted", argument=figures)
        start = time.perf_counter()
        run(parts, counted, Store(Path(folder), counted), Processes(jobs), Silent())
        clock = time.perf_counter() - start
        busy = [float(path.read_text()) for path in Path(figures).iterdir()]
        assert len(busy) == jobs
        return _Work(clock, max(busy))


def _write_long(path: Path, hours: float) -> None:
    minute = np.random.default_rng(0).normal(0, 300, 60 * RATE).astype(np.int16)
    with sf.SoundFile(path, "w", RATE, 1, "PCM_16", format="RF64") as file:
        for _ in range(round(hours * 60)):
            file.write(minute)


if __name__ == "__main__":
    if sys.argv[1:2] == ["validate"]:  # the child of long_recording_megabytes
        from bluering.cli import main as command

        with suppress(SystemExit):
            command()
        print(_peak_kilobytes())
    else:
        typer.run(main)

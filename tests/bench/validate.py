"""``python -m tests.bench.validate``: what `bluering validate` costs on this computer.

--corpus DIR   recordings to measure on (default: the shared development corpus)
--hours N      also hear one recording of so many hours, and tell the memory that it took
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile as sf
import typer
from rich.console import Console

from bluering.validate.audio import RATE, Samples, stream
from bluering.validate.choose import choose_model
from bluering.validate.engines import EngineSpec, engine_spec, open_engine
from bluering.validate.plan import Part
from bluering.validate.progress import Silent
from bluering.validate.runner import Here, Processes, Workers, run
from bluering.validate.session import prepare
from bluering.validate.store import Store
from tests.bench.peers import PymicroWakeword

_CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "dev"
_ROUNDS = 3


def main(
    corpus: Annotated[Path, typer.Option(help="As for bluering validate.")] = _CORPUS,
    seconds: Annotated[float, typer.Option(help="Of audio for the engines.")] = 600.0,
    hours: Annotated[float, typer.Option(help="Of one long recording, for the memory.")] = 0.0,
) -> None:
    """Print the figures."""
    console = Console()
    spec = engine_spec("reference", (choose_model("alexa"),))
    parts = prepare(corpus, spec, ["clean"], seed=1).plan.streams
    audio = _audio(parts, seconds)
    ours, theirs = _rounds(spec, audio)
    console.print(
        f"reference: {ours:.2f} ms of processor time per second of audio; "
        f"pymicro-wakeword's own loop: {theirs:.2f}; the best of {_ROUNDS} rounds each"
    )
    one, two = (_wall_seconds(parts, spec, workers) for workers in (Here(), Processes(2)))
    console.print(
        f"all negatives, decoding included: {one:.1f} s in one process, {two:.1f} s with --jobs 2, "
        f"{one / two:.2f} times as fast"
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


def _audio(parts: tuple[Part, ...], seconds: float) -> list[Samples]:
    blocks: list[Samples] = []
    for part in parts:
        for file in getattr(part, "files", ()):
            if sum(map(len, blocks)) >= seconds * RATE:
                return blocks
            blocks += list(stream(file.path))
    return blocks


def _rounds(spec: EngineSpec, audio: list[Samples]) -> tuple[float, float]:
    """The best processor time of each, in milliseconds per second of audio, turn by turn."""
    engines = (open_engine(spec), PymicroWakeword())
    best = [float("inf"), float("inf")]
    for _ in range(_ROUNDS):
        for index, engine in enumerate(engines):
            start = time.process_time()
            engine.listen(audio)
            best[index] = min(best[index], time.process_time() - start)
    scale = 1000 * RATE / sum(map(len, audio))
    return best[0] * scale, best[1] * scale


def _wall_seconds(parts: tuple[Part, ...], spec: EngineSpec, workers: Workers) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run(parts, spec, Store(Path(folder), spec), workers, Silent())
        return time.perf_counter() - start


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

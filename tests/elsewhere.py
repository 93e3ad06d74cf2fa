"""Tasks for tests of worker processes, in a module that these can import."""

import os
import time
from pathlib import Path

from bluering.training.errors import TrainingError
from bluering.training.workers import StoppedError, report

PATIENCE = 60.0  # seconds


def counted(stage: str, total: int) -> str:
    for done in range(total):
        report(stage, done + 1, total, f"by {os.getpid()}")
    return stage


def until_stopped(begun: Path, stopped: Path) -> None:
    begun.touch()
    try:
        while True:
            report("endless", 1, 2, "")
            time.sleep(0.01)
    except StoppedError:
        stopped.touch()
        raise


def fails_once_there(path: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)
    raise TrainingError("the data of this network is damaged")


def dies() -> None:
    os._exit(9)


def memory() -> str:
    return os.environ.get("MALLOC_TRIM_THRESHOLD_", "")


def write_memory(path: Path) -> None:
    path.write_text(memory())


def one_more(path: Path) -> None:
    with path.open("a") as file:
        file.write("made ")

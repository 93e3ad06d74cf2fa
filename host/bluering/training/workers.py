"""Worker processes, and the progress that they report to the main one."""

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bluering.training.errors import TrainingError

Progress = Callable[[str, int, int, str], None]
"""Called with a stage's name, how much of it is done, of how much, and a line for people."""

StepProgress = Callable[[int, int, str], None]
"""The same within a stage: called with the steps done, of how many, and a line for people."""

_T = TypeVar("_T")

# Read by processes when they start: glibc and PyTorch then keep the memory that the next step needs
# again, in large pages. Allocating it anew took a quarter of each step; the results are the same.
_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # the highest that glibc takes
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "THP_MEM_ALLOC_ENABLE": "1",
}


@dataclass(frozen=True)
class File:
    """A file of a stage. make: writes it, in any process; what: a name for the stage's files."""

    stage: str
    what: str
    path: Path
    make: Callable[[], object]


def make_files(files: Sequence[File], count: int, progress: Progress) -> None:
    """Make the files that are missing, with `count` processes: those of all stages together, so
    that no stage waits for the longest file of the one before."""
    missing = [file for file in files if not file.path.exists()]
    every = Counter(file.stage for file in files)
    left = Counter(file.stage for file in missing)
    for stage, what in {file.stage: file.what for file in files}.items():
        progress(stage, every[stage] - left[stage], every[stage], what)
    if not missing:
        return
    with _memory_reused(), processes(count) as pool:
        running = {pool.submit(file.make): file for file in missing}
        for done in as_completed(running):
            done.result()
            stage, what = running[done].stage, running[done].what
            left[stage] -= 1
            progress(stage, every[stage] - left[stage], every[stage], what)


@contextmanager
def processes(count: int, tasks_each: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of `count` processes, each replaced after `tasks_each` tasks. An exception cancels
    what hasn't begun. Raises TrainingError when a process died."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, max_tasks_per_child=tasks_each) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise _died("Finished work") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _died(what: str) -> TrainingError:
    return TrainingError(
        f"a process died, perhaps because it ran out of memory. {what} is kept: run the same "
        "command again, with fewer --jobs"
    )


class TrainingPool:
    """Processes that train networks. What they `report` is passed on to `progress`, in a thread of
    this process. After an exception here, each stops at its next report."""

    def __init__(self, count: int, progress: Progress) -> None:
        context = multiprocessing.get_context("spawn")
        self._reports = context.SimpleQueue()
        self._stopped = context.Event()
        self._pool = ProcessPoolExecutor(count, context, _begin, (self._reports, self._stopped))
        self._listener = threading.Thread(target=self._listen, args=(progress,))
        self._failure: Exception | None = None
        self._memory = _memory_reused()

    def __enter__(self) -> "TrainingPool":
        self._memory.__enter__()
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
        self._reports.put(None)
        self._listener.join()
        self._memory.__exit__(None, None, None)
        if self._failure:
            raise self._failure

    def run(self, *tasks: Callable[[], _T]) -> list[_T]:
        """What each task returns; they run side by side. Raises the exception of the first one to
        fail, TrainingError when a process died."""
        try:
            futures = [self._pool.submit(task) for task in tasks]
            for future in as_completed(futures):
                future.result()
        except BrokenProcessPool as error:
            raise _died("Training up to the last checkpoint") from error
        return [future.result() for future in futures]

    def _listen(self, progress: Progress) -> None:
        """Go on after a failure: a process that reports to a full queue would wait for ever."""
        while (report := self._reports.get()) is not None:
            try:
                progress(*report)
            except Exception as error:
                self._failure = error
                self._stopped.set()


class StoppedError(TrainingError):
    """Training was stopped, as another network failed or the main process ended."""


_channels: list[tuple[Any, Any]] = []  # in a process of a TrainingPool: its queue, its stop event


def _begin(reports: Any, stopped: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process handles it
    _channels.append((reports, stopped))


def report(stage: str, done: int, total: int, line: str) -> None:
    """Report progress from a process of a TrainingPool. Raises StoppedError when it is to stop."""
    for reports, stopped in _channels:
        parent = multiprocessing.parent_process()
        if stopped.is_set() or (parent and not parent.is_alive()):
            raise StoppedError("stopped: training up to the last checkpoint is kept")
        reports.put((stage, done, total, line))


@contextmanager
def _memory_reused() -> Iterator[None]:
    """Set _MEMORY for processes that start meanwhile, except for what is set already."""
    fresh = {name: value for name, value in _MEMORY.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            del os.environ[name]

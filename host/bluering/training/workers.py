"""Processes that work side by side, and what they say here of how far they are."""

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bluering.training.errors import TrainingError

Told = Callable[[str, int, int, str], None]
"""stage, done, of all, a line for people"""

_T = TypeVar("_T")

# What processes read when they start: glibc and PyTorch keep the memory that each step wants again,
# and ask for it in large pages. Of a step's time a quarter went into getting it anew; what comes
# out is the same.
_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # the highest that glibc takes
    "MALLOC_TRIM_THRESHOLD_": str(8 << 30),
    "THP_MEM_ALLOC_ENABLE": "1",
}


@dataclass(frozen=True)
class File:
    """A file of a stage; make: writes it, in any process. what: the stage's files, for people."""

    stage: str
    what: str
    path: Path
    make: Callable[[], object]


def make_files(files: Iterable[File], count: int, told: Told) -> None:
    """Those that aren't there, in so many processes: of all stages together, so that none waits for
    the longest file of the one before. A file that two of them want is made once."""
    wanted: dict[Path, File] = {}
    for file in files:
        wanted.setdefault(file.path, file)
    missing = [file for path, file in wanted.items() if not path.exists()]
    every = Counter(file.stage for file in wanted.values())
    left = Counter(file.stage for file in missing)
    for stage, what in {file.stage: file.what for file in wanted.values()}.items():
        told(stage, every[stage] - left[stage], every[stage], what)
    if not missing:
        return
    with _memory_kept(), processes(count) as pool:
        under_way = {pool.submit(file.make): file for file in missing}
        for done in as_completed(under_way):
            done.result()
            stage, what = under_way[done].stage, under_way[done].what
            left[stage] -= 1
            told(stage, every[stage] - left[stage], every[stage], what)


@contextmanager
def processes(count: int, tasks_each: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """So many, new ones after so many tasks each. Left by an exception, none begins anything more.
    Raises TrainingError for one that died."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, max_tasks_per_child=tasks_each) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise _died("What was finished") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _died(kept: str) -> TrainingError:
    return TrainingError(
        f"a process died, perhaps for lack of memory. {kept} is kept: run the same command again, "
        "with fewer --jobs"
    )


class Learners:
    """So many processes in which networks learn; what they say with `tell` is told here. What is
    under way when this is left by an exception stops where it next tells."""

    def __init__(self, count: int, told: Told) -> None:
        context = multiprocessing.get_context("spawn")
        self._said = context.SimpleQueue()
        self._stopped = context.Event()
        self._pool = ProcessPoolExecutor(count, context, _begin, (self._said, self._stopped))
        self._listener = threading.Thread(target=self._listen, args=(told,))
        self._unheard: Exception | None = None
        self._memory = _memory_kept()

    def __enter__(self) -> "Learners":
        self._memory.__enter__()
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:
            self._stopped.set()
        self._pool.shutdown(cancel_futures=True)
        self._said.put(None)
        self._listener.join()
        self._memory.__exit__(None, None, None)
        if self._unheard:
            raise self._unheard

    def learn(self, *runs: Callable[[], _T]) -> list[_T]:
        """What each run returns, side by side in the processes. Raises what the first one to fail
        raised, TrainingError where a process died."""
        try:
            futures = [self._pool.submit(run) for run in runs]
            for future in as_completed(futures):
                future.result()
        except BrokenProcessPool as error:
            raise _died("What was learned until its last checkpoint") from error
        return [future.result() for future in futures]

    def _listen(self, told: Told) -> None:
        """To the end in any case: those who tell would wait for ever."""
        while (said := self._said.get()) is not None:
            try:
                told(*said)
            except Exception as error:
                self._unheard = error
                self._stopped.set()


class StoppedError(TrainingError):
    """Another network failed, or nobody waits for this one any more."""


_begun: list[tuple[Any, Any]] = []  # in one of the processes: where it tells, whether to stop


def _begin(said: Any, stopped: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who is interrupted says so
    _begun.append((said, stopped))


def tell(stage: str, done: int, total: int, line: str) -> None:
    """From a process of Learners. Raises StoppedError when it is to stop."""
    for said, stopped in _begun:
        parent = multiprocessing.parent_process()
        if stopped.is_set() or (parent and not parent.is_alive()):
            raise StoppedError("stopped: what was learned until the last checkpoint is kept")
        said.put((stage, done, total, line))


@contextmanager
def _memory_kept() -> Iterator[None]:
    """For processes that start meanwhile; what somebody has set stays."""
    fresh = {name: value for name, value in _MEMORY.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            del os.environ[name]

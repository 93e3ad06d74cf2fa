"""Processes that work side by side, and what they say here of how far they are."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
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


def in_processes(
    function: Callable, jobs: list[tuple], count: int, told: Callable[[int], None]
) -> None:
    """Call a function with each pair of arguments; told: how many are left."""
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    left = len(jobs)
    with _memory_kept(), ProcessPoolExecutor(count, context) as pool:
        futures = [pool.submit(function, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                left -= 1
                told(left)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


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

    async def learn(self, function: Callable[..., _T], *args: object) -> _T:
        """What a function gives in one of the processes, once one is free."""
        here = asyncio.get_running_loop()
        try:
            return await here.run_in_executor(self._pool, partial(function, *args))
        except BrokenProcessPool as error:
            raise TrainingError(
                "a process that learned died, perhaps for lack of memory. What was learned until "
                "its last checkpoint is kept: run the same command again, with fewer --jobs"
            ) from error

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

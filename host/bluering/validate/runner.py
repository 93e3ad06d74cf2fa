"""Do the parts: here, in several processes, or on a cluster; keep each one when it is finished."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol

from bluering.errors import BlueRingError, ExitCode
from bluering.validate.engines import EngineSpec, open_engine
from bluering.validate.hear import hear
from bluering.validate.plan import Part
from bluering.validate.results import PartResult
from bluering.validate.store import Store

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
AHEAD = 4  # parts handed out to each worker, so that none waits for its next one


class InterruptedRunError(BlueRingError):
    """The user stopped the run; what was finished is kept."""

    exit_code = ExitCode.INTERRUPTED


class WorkerError(BlueRingError):
    """A worker died or can't see the corpus."""


Finished = Callable[[Part, PartResult], None]


class Progress(Protocol):
    """Someone who wants to know how far it is."""

    def begin(self, done: list[Part], todo: list[Part]) -> None: ...

    def advance(self, part: Part) -> None: ...


class Workers(Protocol):
    """Something that does parts, in any order."""

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        """Do the parts and hand each over as soon as it is finished, in this thread.

        When interrupted or when a part fails, what else is finished is handed over first.
        """
        ...


class Here:
    """This process, one part after the other."""

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        for part in parts:
            finished(part, do_part(spec, part))


class Processes:
    """Several processes of this machine."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        waiting = iter(parts)
        under_way: dict[Future[PartResult], Part] = {}
        pool = ProcessPoolExecutor(self._jobs, get_context("spawn"))

        def submit(count: int) -> None:
            for part in itertools.islice(waiting, count):
                under_way[pool.submit(do_part, spec, part)] = part

        try:
            with _for_workers():
                submit(AHEAD * self._jobs)
            while under_way:
                done, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    finished(under_way[future], future.result())
                    del under_way[future]
                submit(len(done))
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process died, perhaps for lack of memory. The finished parts are kept",
                "run the same command again, with fewer --jobs",
            ) from error
        finally:
            # Parts under way take seconds; waiting for them is cheaper than doing them again.
            pool.shutdown(wait=True, cancel_futures=True)
            for future, part in under_way.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    finished(part, future.result())


@contextmanager
def _for_workers() -> Iterator[None]:
    """What starts meanwhile computes on one core, which numpy's libraries read from the
    environment, and leaves interrupts to this process, also while it is still starting."""
    before = {name: os.environ.get(name) for name in _THREADS}
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def do_part(spec: EngineSpec, part: Part) -> PartResult:
    """One part, in whatever process this is."""
    return hear(part, open_engine(spec))


def run(
    parts: tuple[Part, ...], spec: EngineSpec, store: Store, workers: Workers, progress: Progress
) -> None:
    """Bring the store up to date. InterruptedRunError on Ctrl-C, with everything finished kept."""
    done = [part for part in parts if store.has(part)]
    finished_before = set(map(id, done))
    todo = [part for part in parts if id(part) not in finished_before]
    progress.begin(done, todo)

    def keep(part: Part, result: PartResult) -> None:
        store.save(part, result)
        progress.advance(part)

    # The longest first: what is left for the end is short, so that no worker waits long.
    todo.sort(key=lambda part: -part.seconds)
    try:
        workers.run(spec, todo, keep)
    except KeyboardInterrupt as error:
        raise InterruptedRunError(
            f"interrupted. The finished parts are kept in {store.folder}",
            "run the same command again to go on",
        ) from error

"""Do the parts on a Dask cluster: a worker that is lost only costs the part it was doing."""

import itertools
from typing import Any

from bluering import __version__
from bluering.validate.engines import EngineSpec, fingerprint
from bluering.validate.plan import ClipPart, Part
from bluering.validate.results import PartResult
from bluering.validate.runner import AHEAD, Finished, WorkerError, do_part

PATIENCE_SECONDS = 10.0  # for a scheduler to answer


class Cluster:
    """The workers behind a Dask scheduler, which must see the corpus under the same paths."""

    def __init__(self, address: str) -> None:
        self._address = address

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        from distributed import Client  # slow to import, needed only here
        from distributed.scheduler import KilledWorker

        try:
            client = Client(self._address, timeout=PATIENCE_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkerError(
                f"no Dask scheduler answers at {self._address}: {error}",
                "start one with 'dask scheduler' and give the address that it prints",
            ) from error
        try:
            with client:
                _check_workers(client, spec)
                _run(client, spec, parts, finished)
        except KilledWorker as error:
            raise WorkerError(
                f"several workers died of the same part: {error}. The finished parts are kept"
            ) from error


def _run(client: Any, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
    from distributed import as_completed

    waiting = iter(parts)
    under_way: dict[str, Part] = {}

    def submit(count: int) -> list[Any]:
        futures = []
        for part in itertools.islice(waiting, count):
            future = client.submit(_do_visible_part, spec, part, pure=False)
            under_way[future.key] = part
            futures.append(future)
        return futures

    threads = sum(client.nthreads().values())
    results = as_completed(submit(AHEAD * max(1, threads)), loop=client.loop)
    for future in results:
        finished(under_way.pop(future.key), future.result())
        results.update(submit(1))


def _do_visible_part(spec: EngineSpec, part: Part) -> PartResult:
    files = (part.clip,) if isinstance(part, ClipPart) else part.files
    for file in files:
        if not file.path.is_file():
            raise WorkerError(
                f"a worker can't see {file.path}: mount the corpus under the same path everywhere"
            )
    return do_part(spec, part)


def _check_workers(client: Any, spec: EngineSpec) -> None:
    """Figures from two versions of the code must never be added up."""
    ours = fingerprint(spec)
    for worker, theirs in client.run(fingerprint, spec).items():
        if theirs != ours:
            raise WorkerError(
                f"the worker {worker} runs other code than this machine's bluering {__version__}",
                "install the same version on both",
            )

"""A Dask cluster gives the same figures as one process, also when a worker dies in mid-run."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluering.validate import plan
from bluering.validate.engines import EngineSpec
from bluering.validate.plan import Part
from bluering.validate.report.schema import Report
from bluering.validate.results import PartResult
from bluering.validate.runner import Finished, Here, WorkerError, Workers
from bluering.validate.session import Prepared, carry_out, prepare
from bluering.validate.store import Store
from tests.silent import Silent
from tests.unit.validate_world import SPEC, build_corpus

pytest.importorskip("distributed", reason="needs bluering[validate]")

from distributed import LocalCluster

from bluering.validate import cluster as cluster_module
from bluering.validate.cluster import Cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    workers = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    yield workers
    workers.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "STRETCH_SECONDS", 20.0)
        root = build_corpus(tmp_path_factory.mktemp("corpus"))
        yield prepare(root, SPEC, ["clean", "tv@10"], seed=1)


def _carry_out(prepared: Prepared, folder: Path, workers: Workers) -> Report:
    return carry_out(prepared, Store(folder, SPEC), workers, Silent(), "test")


class _Murder:
    """The cluster, one of whose workers is killed as soon as the first part is back."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._inner = Cluster(cluster.scheduler_address)
        self._cluster = cluster
        self.killed = 0
        self.finished: list[Part] = []

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        def kill_once(part: Part, result: PartResult) -> None:
            finished(part, result)
            self.finished.append(part)
            if not self.killed:
                self.killed = next(iter(self._cluster.workers.values())).pid
                assert self.killed not in (None, os.getpid())
                os.kill(self.killed, signal.SIGKILL)

        self._inner.run(spec, parts, kill_once)


def test_a_killed_worker_costs_no_figure(
    cluster: LocalCluster, prepared: Prepared, tmp_path: Path
) -> None:
    alone = _carry_out(prepared, tmp_path / "alone", Here())
    workers = _Murder(cluster)
    together = _carry_out(prepared, tmp_path / "together", workers)
    assert workers.killed
    assert len(workers.finished) == len(prepared.parts) > 10
    assert together == alone


def test_no_scheduler_is_said_plainly(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(WorkerError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        _carry_out(prepared, tmp_path, Cluster("tcp://127.0.0.1:9"))


def test_a_worker_that_cannot_see_the_corpus_is_an_error(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    root = build_corpus(tmp_path / "corpus")
    prepared = prepare(root, SPEC, ["clean"], seed=1)
    (root / "positives/beep/0.wav").unlink()
    with pytest.raises(WorkerError, match="can't see"):
        _carry_out(prepared, tmp_path / "parts", Cluster(cluster.scheduler_address))

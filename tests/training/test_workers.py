"""Worker processes: progress, failures, interruption."""

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bluering.training.errors import TrainingError
from bluering.training.workers import File, TrainingPool, make_files, processes
from tests import elsewhere

Lines = list[tuple[str, int, int, str]]


def test_progress_is_reported_in_order() -> None:
    progress: Lines = []

    runs = [partial(elsewhere.counted, *stage) for stage in (("train", 5), ("train 2", 3))]
    with TrainingPool(2, lambda *said: progress.append(said)) as pool:
        assert pool.run(*runs) == ["train", "train 2"]
    for stage, total in (("train", 5), ("train 2", 3)):
        assert [line[1:3] for line in progress if line[0] == stage] == [
            (done + 1, total) for done in range(total)
        ]
    assert str(os.getpid()) not in {line[3].removeprefix("by ") for line in progress}


def test_when_one_fails_the_others_stop(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    runs = (
        partial(elsewhere.until_stopped, begun, stopped),
        partial(elsewhere.fails_once_there, begun),
    )
    with pytest.raises(TrainingError, match="is damaged"), TrainingPool(2, _silent) as pool:
        pool.run(*runs)
    assert stopped.exists()


def test_an_interrupt_stops_them(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    def interrupt() -> None:
        until = time.monotonic() + elsewhere.PATIENCE
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt), TrainingPool(1, _silent) as pool:
        interrupting.start()
        pool.run(partial(elsewhere.until_stopped, begun, stopped))
    interrupting.join()
    assert stopped.exists()


def test_they_stop_when_progress_fails(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"), TrainingPool(1, full) as pool:
        pool.run(partial(elsewhere.until_stopped, begun, stopped))
    assert stopped.exists()


def test_a_training_process_that_dies_is_a_clear_error() -> None:
    with pytest.raises(TrainingError, match="fewer --jobs"), TrainingPool(1, _silent) as pool:
        pool.run(elsewhere.dies)


@pytest.mark.parametrize("tasks_each", [None, 1])
def test_a_worker_that_dies_is_a_clear_error(tasks_each: int | None) -> None:
    with pytest.raises(TrainingError, match="fewer --jobs"), processes(1, tasks_each) as pool:
        pool.submit(elsewhere.dies).result()


def test_memory_is_reused_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with TrainingPool(1, _silent) as pool:
        assert int(*pool.run(elsewhere.memory)) > 1 << 30
    assert elsewhere.memory() == ""
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    path = tmp_path / "memory"
    make_files([_file(path, "hours", elsewhere.write_memory)], 1, _silent)
    assert (tmp_path / "memory").read_text() == elsewhere.memory() == "4096"


def test_missing_files_of_all_stages_are_made_together(tmp_path: Path) -> None:
    progress: Lines = []
    (tmp_path / "there").touch()
    wanted = [("there", "hours"), ("long", "hours"), ("short", "tracks")]
    files = [_file(tmp_path / name, stage, elsewhere.one_more) for name, stage in wanted]
    make_files(files, 2, lambda *line: progress.append(line))
    made = {name: (tmp_path / name).read_text() for name, _ in wanted}
    assert made == {"there": "", "long": "made ", "short": "made "}
    assert [line[:3] for line in progress[:2]] == [("hours", 1, 2), ("tracks", 0, 1)]
    assert sorted(line[:3] for line in progress[2:]) == [("hours", 2, 2), ("tracks", 1, 1)]
    make_files(files, 2, lambda *line: progress.append(line))
    assert (tmp_path / "long").read_text() == "made "


def _file(path: Path, stage: str, write: Callable[[Path], object]) -> File:
    return File(stage, "files", path, partial(write, path))


def _silent(*_: object) -> None:
    pass

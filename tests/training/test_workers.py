"""Processes that learn side by side."""

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bluering.training.errors import TrainingError
from bluering.training.workers import File, Learners, make_files, processes
from tests import elsewhere

Lines = list[tuple[str, int, int, str]]


def test_what_they_tell_is_told_here_in_order() -> None:
    told: Lines = []

    runs = [partial(elsewhere.counted, *stage) for stage in (("train", 5), ("train 2", 3))]
    with Learners(2, lambda *said: told.append(said)) as learners:
        assert learners.learn(*runs) == ["train", "train 2"]
    for stage, total in (("train", 5), ("train 2", 3)):
        assert [line[1:3] for line in told if line[0] == stage] == [
            (done + 1, total) for done in range(total)
        ]
    assert str(os.getpid()) not in {line[3].removeprefix("by ") for line in told}


def test_when_one_fails_the_others_stop_and_it_says_why(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    runs = (
        partial(elsewhere.until_stopped, begun, stopped),
        partial(elsewhere.fails_once_there, begun),
    )
    with pytest.raises(TrainingError, match="is damaged"), Learners(2, _silent) as learners:
        learners.learn(*runs)
    assert stopped.exists()


def test_interrupted_here_they_stop_there(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    def interrupt() -> None:
        until = time.monotonic() + elsewhere.PATIENCE
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    with pytest.raises(KeyboardInterrupt), Learners(1, _silent) as learners:
        interrupting.start()
        learners.learn(partial(elsewhere.until_stopped, begun, stopped))
    interrupting.join()
    assert stopped.exists()


def test_where_nobody_can_be_told_they_stop(tmp_path: Path) -> None:
    begun, stopped = tmp_path / "begun", tmp_path / "stopped"

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space left"), Learners(1, full) as learners:
        learners.learn(partial(elsewhere.until_stopped, begun, stopped))
    assert stopped.exists()


def test_one_that_dies_is_a_clear_error() -> None:
    with pytest.raises(TrainingError, match="fewer --jobs"), Learners(1, _silent) as learners:
        learners.learn(elsewhere.dies)


@pytest.mark.parametrize("tasks_each", [None, 1])
def test_one_that_dies_over_a_file_is_a_clear_error(tasks_each: int | None) -> None:
    with pytest.raises(TrainingError, match="fewer --jobs"), processes(1, tasks_each) as pool:
        pool.submit(elsewhere.dies).result()


def test_they_keep_the_memory_that_they_have_unless_somebody_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with Learners(1, _silent) as learners:
        assert int(*learners.learn(elsewhere.memory)) > 1 << 30
    assert elsewhere.memory() == ""
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "4096")
    path = tmp_path / "memory"
    make_files([_file(path, "hours", elsewhere.write_memory)], 1, _silent)
    assert (tmp_path / "memory").read_text() == elsewhere.memory() == "4096"


def test_files_of_several_stages_are_made_together_and_each_once(tmp_path: Path) -> None:
    told: Lines = []
    (tmp_path / "there").touch()
    wanted = [("there", "hours"), ("both", "hours"), ("both", "second: hours")]
    wanted += [("its own", "second: hours")]
    files = [_file(tmp_path / name, stage, elsewhere.one_more) for name, stage in wanted]
    make_files(files, 2, lambda *said: told.append(said))
    made = {name: (tmp_path / name).read_text() for name in ("there", "both", "its own")}
    assert made == {"there": "", "both": "made ", "its own": "made "}
    assert [line[:3] for line in told[:2]] == [("hours", 1, 2), ("second: hours", 0, 1)]
    assert sorted(line[:3] for line in told[2:]) == [("hours", 2, 2), ("second: hours", 1, 1)]
    make_files(files, 2, lambda *said: told.append(said))
    assert (tmp_path / "both").read_text() == "made "


def _file(path: Path, stage: str, write: Callable[[Path], object]) -> File:
    return File(stage, "files", path, partial(write, path))


def _silent(*_: object) -> None:
    pass

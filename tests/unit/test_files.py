"""Files are whole or not there, and what the computer refuses is told in words."""

import errno
import os
import pickle
import stat
from pathlib import Path

import pytest

from bluering import files
from bluering.errors import BlueRingError, ExitCode
from bluering.files import FileError


def _fail(number: int):
    def failing(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    return failing


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def target(tmp_path):
    """A file that is there already."""
    path = tmp_path / "there.bin"
    path.write_bytes(b"old")
    return path


def _untouched(target: Path) -> bool:
    return target.read_bytes() == b"old" and list(target.parent.iterdir()) == [target]


def test_text_and_bytes_are_written_over_what_was_there(target):
    files.write(target, "größer\n")
    assert target.read_bytes() == "größer\n".encode()
    files.write(target, b"\0\xff")
    assert target.read_bytes() == b"\0\xff"
    assert list(target.parent.iterdir()) == [target]


def test_a_private_file_is_its_owners_alone_and_any_other_obeys_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        files.write(tmp_path / "plain", b"")
        files.write_private(tmp_path / "private", b"")
    finally:
        os.umask(mask)
    assert _mode(tmp_path / "plain") == 0o640
    assert _mode(tmp_path / "private") == 0o600


def test_a_private_file_and_its_folder_are_on_the_disk_before_it_is_there(target, monkeypatch):
    seen = []
    real = os.fsync

    def fsync(handle):
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        seen.append((kind, target.read_bytes()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    files.write_private(target, b"new")
    assert seen == [("file", b"old"), ("folder", b"new")]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("private", [False, True])
def test_a_disk_that_is_full_at_the_write_changes_nothing(target, number, private):
    with (
        pytest.raises(FileError, match="can't be written: the disk is full") as caught,
        files.writing(target, private=private) as file,
    ):
        file.write(b"half")
        _fail(number)()
    assert caught.value.errno == number
    assert "make room" in caught.value.hint
    assert _untouched(target)


def test_a_disk_that_is_full_at_the_last_flush_changes_nothing(target, monkeypatch):
    monkeypatch.setattr(os, "fsync", _fail(errno.ENOSPC))
    with pytest.raises(FileError, match="the disk is full"):
        files.write_private(target, b"new")
    assert _untouched(target)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission is denied"),
        (errno.EIO, "the disk failed"),
        (errno.EXDEV, os.strerror(errno.EXDEV)),
    ],
)
def test_a_rename_that_is_refused_changes_nothing(target, monkeypatch, number, said):
    monkeypatch.setattr(Path, "replace", _fail(number))
    with pytest.raises(FileError, match=f"there.bin can't be written: {said}"):
        files.write(target, b"new")
    assert _untouched(target)


def test_a_block_that_fails_or_is_interrupted_changes_nothing(target):
    for interruption in (ValueError, KeyboardInterrupt):
        with pytest.raises(interruption), files.writing(target) as file:
            file.write(b"half")
            raise interruption
    assert _untouched(target)


def test_another_files_failure_keeps_its_name(target, tmp_path):
    with pytest.raises(FileNotFoundError) as caught, files.writing(target):
        (tmp_path / "source").read_bytes()
    assert caught.value.filename == str(tmp_path / "source")
    assert _untouched(target)


def test_places_where_no_file_can_be(tmp_path, target):
    for place, said in [
        (tmp_path, "it is a folder"),
        (tmp_path / "no" / "where", f"there is no folder {tmp_path / 'no'}"),
        (target / "below", "its folder is a file"),
        (tmp_path / ("x" * 300), "its name is too long"),
        (Path(os.devnull), "it is a device or a pipe"),
    ]:
        with pytest.raises(FileError) as caught:
            files.write(place, b"")
        assert str(caught.value) == f"{place} can't be written: {said}"
        assert caught.value.hint
    assert _untouched(target)


def test_two_writers_of_a_file_dont_meet(target):
    with files.writing(target) as first:
        files.write(target, b"second")
        first.write(b"first")
    assert target.read_bytes() == b"first"


def test_a_folder_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    folder = tmp_path / "made"
    with pytest.raises(ValueError, match="no"), files.making(folder) as aside:
        (aside / "file").write_bytes(b"")
        raise ValueError("no")
    assert not list(tmp_path.iterdir())
    folder.mkdir()  # an empty one is fine
    with files.making(folder) as aside:
        (aside / "file").write_bytes(b"")
        assert not list(folder.iterdir())
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert _mode(folder) == 0o700
    with pytest.raises(FileError, match="made can't be made: there is something in it"):
        files.making(folder).__enter__()
    monkeypatch.setattr(Path, "rename", _fail(errno.ENOSPC))
    with pytest.raises(FileError, match="other can't be made: the disk is full"):  # noqa: SIM117
        with files.making(tmp_path / "other"):
            pass
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cant_be_made_is_named(target):
    with pytest.raises(FileError, match=r"the folder .*there\.bin can't be made: it is there"):
        files.make_folder(target)
    with pytest.raises(FileError, match="its folder is a file"):
        files.make_folder(target / "below")


def test_an_error_of_a_file_is_both_kinds_and_travels_between_processes():
    error = files.explained(OSError(errno.ENOSPC, "full"), "x can't be written")
    assert isinstance(error, BlueRingError)
    assert isinstance(error, OSError)
    assert error.exit_code == ExitCode.COMPUTER
    there = pickle.loads(pickle.dumps(error))
    assert (str(there), there.hint) == (str(error), error.hint)
    assert str(error) == "x can't be written: the disk is full"

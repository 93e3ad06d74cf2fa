"""Files that are whole or not there: written beside their target, then renamed over it."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bluering.errors import BlueRingError, ExitCode

ASIDE = ".part"  # what a file that isn't whole is called by, last
_ANYONE, _OWNER_ONLY, _OWNER_ONLY_FOLDER = 0o666, 0o600, 0o700  # less the umask
_FULL = ("the disk is full", "make room there, or name another place")
_FORBIDDEN = ("permission is denied", "change its permissions, or name another place")
_CAUSES = {
    errno.ENOENT: ("there is no such file or folder", "make it first, or name another"),
    errno.ENOTDIR: ("its folder is a file", "name another place"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.EEXIST: ("it is there already", "name another"),
    errno.ENOTEMPTY: ("there is something in it", "name a new folder"),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: ("the file system is read-only", "name another place"),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENAMETOOLONG: ("its name is too long", "name it shorter"),
    errno.EMFILE: ("this program has too many files open", "raise the limit: ulimit -n 4096"),
    errno.EADDRINUSE: ("another program uses this address", "stop it, or choose another port"),
    errno.EIO: ("the disk failed", "look into the system's log, and save what is on that disk"),
}


class FileError(BlueRingError, OSError):
    """A file or folder that the computer refused; ``errno`` is the system's number for it.

    It is an OSError too: who handles a full disk needn't know who wrote.
    """

    exit_code = ExitCode.COMPUTER


def explained(error: OSError, what: str) -> FileError:
    """An operating system's error in words; ``what``: "NAME can't be written", for one."""
    unknown = (error.strerror or str(error) or type(error).__name__, "")
    cause, hint = _CAUSES.get(error.errno or 0, unknown)
    found = FileError(f"{what}: {cause}", hint)
    found.errno = error.errno
    return found


def write(path: Path, data: bytes | str) -> None:
    """Put data into a file, text as UTF-8. Raises FileError, and then nothing has changed."""
    with writing(path) as file:
        file.write(_bytes(data))


def write_private(path: Path, data: bytes | str) -> None:
    """Put data into a file that only its owner can read; once there, it survives a power cut.

    Raises FileError, and then nothing has changed.
    """
    with writing(path, private=True) as file:
        file.write(_bytes(data))


@contextmanager
def writing(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """A file beside ``path``, which becomes ``path`` at the end of the block, if it ends well.

    ``private``: only its owner can read it, and once renamed it survives a power cut. Raises
    FileError; after this or any other exception of the block nothing has changed.
    """
    _refuse(path)
    aside = _beside(path)
    try:
        with _opened(aside, _OWNER_ONLY if private else _ANYONE) as file:
            yield file
            file.flush()
            if private:
                os.fsync(file.fileno())
        aside.replace(path)
        if private:
            sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileError) or not _concerns(error, aside):
            raise
        raise _not_written(path, error) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


@contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A folder of its owner alone, which becomes ``folder`` if the block ends well.

    ``folder`` may be there if it is empty. Raises FileError; after this or any other exception of
    the block nothing has changed.
    """
    aside = None
    try:
        try:
            if folder.exists() and any(folder.iterdir()):
                raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))
            aside = _beside(folder)
            aside.mkdir(mode=_OWNER_ONLY_FOLDER)
        except OSError as error:
            raise _not_made(folder, error) from error
        yield aside
        try:
            aside.rename(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise _not_made(folder, error) from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Make a folder and those above it, if they aren't there. Raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    except OSError as error:
        raise _not_made(folder, error) from error


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Delete a file, durably; a missing one is fine."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)


def _beside(path: Path) -> Path:
    """A name that no other writer has: two may write the same file, the last one wins."""
    return path.absolute().with_name(f".{path.name}.{secrets.token_hex(4)}{ASIDE}")


def _opened(aside: Path, mode: int) -> IO[bytes]:
    return os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _refuse(path: Path) -> None:
    """A rename would put a file in the place of a device or pipe."""
    if os.path.isdir(path):
        raise FileError(f"{path} can't be written: it is a folder", "name a file in it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise FileError(f"{path} can't be written: it is a device or a pipe", "name a file")


def _concerns(error: OSError, aside: Path) -> bool:
    """Whether writing failed; else the block failed at something else."""
    return error.filename is None or os.fspath(error.filename) == os.fspath(aside)


def _not_written(path: Path, error: OSError) -> FileError:
    if error.errno == errno.ENOENT and not os.path.isdir(path.parent):
        found = FileError(
            f"{path} can't be written: there is no folder {path.parent}",
            "make it first, or name another place",
        )
        found.errno = error.errno
        return found
    return explained(error, f"{path} can't be written")


def _not_made(folder: Path, error: OSError) -> FileError:
    return explained(error, f"the folder {folder} can't be made")

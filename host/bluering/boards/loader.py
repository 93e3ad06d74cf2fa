"""Find and read board files; what is wrong in one is named by file and key."""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from bluering.boards import pins
from bluering.boards.schema import Board
from bluering.errors import BlueRingError

_PACKAGED = Path(__file__).with_name("files")
_CHECKOUT = Path(__file__).parents[3] / "boards"


class BoardError(BlueRingError):
    """A board file that is missing, malformed or at odds with itself."""


def folder() -> Path:
    """The folder of the board files: inside the installed package, or the checkout's."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def names() -> list[str]:
    """The names of all boards, sorted."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load(name: str) -> Board:
    """The board called ``name``, or the one in the file ``name`` if that ends in ``.toml``.

    Raises BoardError.
    """
    if name.endswith(".toml"):
        return read(Path(name))
    if name not in names():
        raise BoardError(
            f"no board is called {name!r}",
            "'bluering board list' shows the known ones, 'bluering board new' describes another",
        )
    return read(folder() / f"{name}.toml")


def read(path: Path) -> Board:
    """The board in the file ``path``, checked. Raises BoardError with every fault found."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BoardError(f"can't read the board file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"{path}: not valid TOML: {error}") from error
    return validate(data, path)


def validate(data: dict, path: Path) -> Board:
    """The board that ``data`` describes, checked as the contents of the file ``path``.

    Raises BoardError with every fault, each named by file and key.
    """
    try:
        board = Board.model_validate(data)
    except ValidationError as error:
        _refuse(path, [_sentence(e["loc"], e["msg"]) for e in error.errors()])
        raise
    faults = [f"{p.key}: {p.text}" for p in pins.problems(board) if p.fatal]
    if path.stem != board.name:
        faults.insert(0, f"name: is {board.name!r}, but the file is {path.name}")
    _refuse(path, faults)
    return board


def _sentence(key: tuple, message: str) -> str:
    where = ".".join(str(part) for part in key) or "the whole file"
    return f"{where}: {message.removeprefix('Value error, ')}"


def _refuse(path: Path, faults: list[str]) -> None:
    if faults:
        raise BoardError("\n".join(f"{path}: {fault}" for fault in faults))

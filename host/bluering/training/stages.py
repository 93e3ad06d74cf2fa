"""Stages whose results are kept under the hash of what they were made from."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from bluering.training.negatives import Stream
from bluering.training.tracks import Tracks

_T = TypeVar("_T")


@dataclass(frozen=True)
class Places:
    """Where a run finds and keeps things."""

    cache: Path
    sentences: Path
    corpus: Path  # a manifest.csv, which may be absent
    jobs: int = 2


def digest(*inputs: object) -> str:
    """A hash of inputs that JSON can tell."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def kept(path: Path, make: Callable[[], Any], write: Callable[[Any, Path], None]) -> Path:
    """The path, made first if it isn't there. It appears when it is whole."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            write(make(), aside)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    return path


def write_arrays(arrays: Any, path: Path) -> None:
    """A dataclass of arrays, for `kept`."""
    with path.open("wb") as file:
        np.savez(file, **asdict(arrays))


def read_arrays(kind: type[_T], path: Path) -> _T:
    """A dataclass of arrays, as it was written."""
    with np.load(path) as stored:
        return kind(*(stored[field.name] for field in fields(cast(Any, kind))))


def read_tracks(paths: list[Path]) -> Tracks:
    """The tracks of several files, joined."""
    return Tracks.joined([read_arrays(Tracks, path) for path in paths])


def write_streams(streams: list[Stream], path: Path) -> None:
    """For `kept`."""
    with path.open("wb") as file:
        arrays: dict[str, Any] = {f"rows:{stream.name}": stream.rows for stream in streams}
        arrays |= {f"embedded:{stream.name}": stream.embedded for stream in streams}
        np.savez(file, **arrays)


def read_streams(path: Path) -> list[Stream]:
    """The streams of a file, in order."""
    with np.load(path) as stored:
        names = [
            name for kind, _, name in (f.partition(":") for f in stored.files) if kind == "rows"
        ]
        return [Stream(name, stored[f"rows:{name}"], stored[f"embedded:{name}"]) for name in names]

"""Results of stages, kept under the hash of what they were made from."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

_T = TypeVar("_T")


def digest(*inputs: object) -> str:
    """A hash of inputs that can be written as JSON."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def kept(path: Path, make: Callable[[], Any], write: Callable[[Any, Path], None]) -> Path:
    """The path of a file, which is made first if it isn't there, and appears only when complete."""
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
    """Save a dataclass of arrays; for `kept`."""
    with path.open("wb") as file:
        np.savez(file, **asdict(arrays))


def read_arrays(kind: type[_T], path: Path) -> _T:
    """Load a dataclass of arrays that `write_arrays` saved."""
    with np.load(path) as stored:
        return kind(*(stored[field.name] for field in fields(cast(Any, kind))))

"""Finished parts on disk, each under a key made of everything that its result depends on."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bluering import files
from bluering.errors import BlueRingError
from bluering.validate.corpus import Note
from bluering.validate.engines import EngineSpec, fingerprint
from bluering.validate.plan import ClipPart, Hearing, Part, StreamPart
from bluering.validate.results import ClipResult, HeardFile, PartResult, StreamResult, Trace

_P = TypeVar("_P", ClipPart, StreamPart)
_R = TypeVar("_R")


class StoreError(BlueRingError):
    """A part isn't finished, or what is there of it can't be read."""


class Store:
    """A folder with one small JSON file per finished part; safe to interrupt at any time."""

    def __init__(self, folder: Path, spec: EngineSpec) -> None:
        self.folder = folder
        self._engine = fingerprint(spec)
        files.make_folder(folder)

    def has(self, part: Part) -> bool:
        """Whether a part is finished and its result can be read."""
        try:
            self.clip(part) if isinstance(part, ClipPart) else self.stretch(part)
        except StoreError:
            return False
        return True

    def clip(self, part: ClipPart) -> ClipResult:
        """The result of a finished part; StoreError when there is none."""
        return self._read(part, _clip)

    def stretch(self, part: StreamPart) -> StreamResult:
        """The result of a finished part; StoreError when there is none."""
        return self._read(part, _stretch)

    def save(self, part: Part, result: PartResult) -> None:
        """A part is there as a whole or not at all. Raises FileError."""
        files.write(self._path(part), json.dumps(_content(result), separators=(",", ":")))

    def _read(self, part: _P, parse: Callable[[_P, dict[str, Any]], _R]) -> _R:
        path = self._path(part)
        try:
            return parse(part, json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, IndexError, TypeError, zlib.error) as error:
            raise StoreError(
                f"there is no finished part in {path}", "run validate again"
            ) from error

    def _path(self, part: Part) -> Path:
        described = json.dumps([self._engine, _described(part)])
        return self.folder / f"{hashlib.sha256(described.encode()).hexdigest()[:32]}.json"


def _described(part: Part) -> list[Any]:
    if isinstance(part, ClipPart):
        hearings = [_described_hearing(hearing) for hearing in part.hearings]
        return [part.clip.sha256, part.clip.name, hearings]
    run_in = part.run_in.sha256 if part.run_in else ""
    return [part.kind, run_in, [[file.sha256, file.name] for file in part.files]]


def _described_hearing(hearing: Hearing) -> list[Any]:
    noises = [[source.recording.sha256, source.start] for source in hearing.noises]
    return [hearing.condition.name, hearing.room, hearing.seed, noises]


def _content(result: PartResult) -> dict[str, Any]:
    skipped = [[note.name, note.text] for note in result.skipped]
    if isinstance(result, ClipResult):
        return {
            "word_end": result.word_end,
            "level_db": result.level_db,
            "traces": {name: [_packed(t) for t in ts] for name, ts in result.traces.items()},
            "skipped": skipped,
        }
    return {
        "files": [[file.recording.sha256, file.start] for file in result.files],
        "hops": result.hops,
        "traces": [_packed(trace) for trace in result.traces],
        "skipped": skipped,
    }


def _clip(part: ClipPart, content: dict[str, Any]) -> ClipResult:
    traces = {name: [_unpacked(t) for t in ts] for name, ts in content["traces"].items()}
    skipped = [Note(*note) for note in content["skipped"]]
    return ClipResult(part.clip, content["word_end"], content["level_db"], traces, skipped)


def _stretch(part: StreamPart, content: dict[str, Any]) -> StreamResult:
    by_hash = {file.sha256: file for file in part.files}
    files = [HeardFile(by_hash[sha256], start) for sha256, start in content["files"]]
    traces = [_unpacked(trace) for trace in content["traces"]]
    skipped = [Note(*note) for note in content["skipped"]]
    return StreamResult(part.kind, files, content["hops"], traces, skipped)


def _packed(trace: Trace) -> list[Any]:
    data = base64.b85encode(zlib.compress(trace.probabilities.tobytes())).decode()
    return [trace.first_hop, trace.stride, trace.count_from, data]


def _unpacked(packed: list[Any]) -> Trace:
    first_hop, stride, count_from, data = packed
    probabilities = np.frombuffer(zlib.decompress(base64.b85decode(data)), np.uint8)
    return Trace(probabilities, first_hop, stride, count_from)

"""What to measure on: a folder, a manifest.csv or a dataset description, as a list of recordings.

- folder: positives/WORD/... and negatives/KIND/...; a manifest.csv in it comes first
- manifest.csv: columns path, label, set (positives or negatives), and sha256 where known; a column
  slice_NAME tells to which slice of NAME (slow or fast of speed) a positive belongs
- description.toml: tables [[positives]] with word and files, [[negatives]] with kind and files;
  files are glob patterns relative to the description; a table slices in [[positives]], as
  slices = { speed = "slow" }, tells the same of all its files
"""

import csv
import hashlib
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from bluering.errors import BlueRingError
from bluering.sound_files import SUFFIXES, AudioError, probe

POSITIVES, NEGATIVES = "positives", "negatives"
_SLICE = "slice_"

Slices = tuple[
    tuple[str, str], ...
]  # by what clips are sliced, and to which slice this one belongs


class CorpusError(BlueRingError):
    """The corpus as a whole can't be used."""


@dataclass(frozen=True)
class Entry:
    """One recording as the corpus announces it, not opened yet."""

    path: Path
    name: str  # relative to the corpus, for people
    positive: bool
    label: str  # the word, or the kind of negative; lower case with underscores
    sha256: str = ""  # as announced
    slices: Slices = ()


@dataclass(frozen=True)
class Recording:
    """One recording that exists, decodes at its beginning and is long enough."""

    path: Path
    name: str
    positive: bool
    label: str
    sha256: str
    seconds: float
    slices: Slices = ()

    @property
    def id(self) -> str:
        """What a report calls the recording: by its content, wherever it lies."""
        return self.sha256[:16]


@dataclass(frozen=True)
class Note:
    """An input and what is to be said of it."""

    name: str
    text: str


@dataclass
class Corpus:
    """Recordings to measure on, in the corpus' own order, and what had to be left out."""

    name: str
    recordings: list[Recording] = field(default_factory=list)
    skipped: list[Note] = field(default_factory=list)
    converted: list[Note] = field(default_factory=list)

    def kinds(self) -> list[str]:
        """The kinds of negatives, in order of appearance."""
        return list(dict.fromkeys(r.label for r in self.recordings if not r.positive))


def slug(label: str) -> str:
    """'Okay Nabu' -> 'okay_nabu': so that a model's word and a label can be compared."""
    return re.sub(r"[^0-9a-z]+", "_", label.casefold()).strip("_")


def load_corpus(path: Path, words: set[str], convert: bool = False) -> Corpus:
    """Read, check and hash the recordings of a corpus: negatives and the positives of `words`.

    One that isn't 16 kHz mono is used, resampled, with `convert` alone: what a codec or another
    rate does to the scores is no property of the model. A recording that can't be used is listed in
    `skipped` with its reason. CorpusError when the corpus itself can't be read or nothing of it can
    be used.
    """
    corpus = Corpus(path.stem if path.is_file() else path.name)
    entries = list(_announced(path, corpus.skipped))
    wanted = [e for e in entries if not e.positive or e.label in words]
    names: dict[str, str] = {}  # by hash
    with ThreadPoolExecutor(4) as pool:  # hashing and reading let go of the interpreter
        for result in pool.map(partial(_checked, convert=convert), wanted):
            _file(corpus, result, names)
    if not corpus.recordings:
        reasons = "; ".join(f"{note.name}: {note.text}" for note in corpus.skipped[:3])
        raise CorpusError(
            f"no recording in {path} can be used for {', '.join(sorted(words))}. "
            f"{reasons or 'It needs positives/WORD/ and negatives/KIND/, or a manifest.csv'}."
        )
    return corpus


def _file(
    corpus: Corpus, result: "tuple[Recording, Note | None] | Note", names: dict[str, str]
) -> None:
    if isinstance(result, Note):
        corpus.skipped.append(result)
        return
    recording, conversion = result
    first = names.setdefault(recording.sha256, recording.name)
    if first != recording.name:
        corpus.skipped.append(Note(recording.name, f"it is the same recording as {first}"))
        return
    corpus.recordings.append(recording)
    if conversion:
        corpus.converted.append(conversion)


def _checked(entry: Entry, convert: bool) -> "tuple[Recording, Note | None] | Note":
    try:
        found = probe(entry.path)
    except AudioError as error:
        return Note(entry.name, str(error))
    if found.other and not convert:
        text = f"it is {found.other}, not 16 kHz mono; --convert has it resampled and measured"
        return Note(entry.name, text)
    with entry.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if entry.sha256 and entry.sha256 != digest:
        return Note(entry.name, "it isn't the file that the manifest names (SHA-256 differs)")
    recording = Recording(
        entry.path, entry.name, entry.positive, entry.label, digest, found.seconds, entry.slices
    )
    note = Note(entry.name, f"converted to 16 kHz mono from {found.other}")
    return recording, note if found.other else None


def _announced(path: Path, skipped: list[Note]) -> Iterator[Entry]:
    if path.is_dir():
        manifest = path / "manifest.csv"
        return _from_manifest(manifest) if manifest.is_file() else _from_folder(path, skipped)
    if not path.is_file():
        raise CorpusError(
            f"there is no corpus at {path}", "give a folder, a manifest.csv or a .toml"
        )
    if path.suffix == ".toml":
        return _from_description(path, skipped)
    return _from_manifest(path)


def _from_manifest(path: Path) -> Iterator[Entry]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"the manifest {path} can't be read: {error}") from error
    if not rows:
        raise CorpusError(f"the manifest {path} names no recording")
    missing = {"path", "label", "set"} - rows[0].keys()
    if missing:
        raise CorpusError(f"the manifest {path} lacks the column(s) {', '.join(sorted(missing))}")
    for number, row in enumerate(rows, 2):
        if row["set"] not in (POSITIVES, NEGATIVES):
            raise CorpusError(f"{path}, line {number}: set must be positives or negatives")
        name = row["path"]
        yield Entry(
            path.parent / name,
            name,
            row["set"] == POSITIVES,
            slug(row["label"]),
            (row.get("sha256") or "").lower(),
            _slices_of(row) if row["set"] == POSITIVES else (),
        )


def _slices_of(row: dict[str, str]) -> Slices:
    """What the columns slice_NAME say; an empty field leaves the clip out of that slicing."""
    return tuple(
        (column.removeprefix(_SLICE), value.strip())
        for column, value in row.items()
        if column and column.startswith(_SLICE) and value and value.strip()
    )


def _from_folder(root: Path, skipped: list[Note]) -> Iterator[Entry]:
    for role in (POSITIVES, NEGATIVES):
        for folder in sorted(p for p in root.glob(f"{role}/*") if p.is_dir()):
            files = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES]
            if not files:
                name = folder.relative_to(root).as_posix()
                skipped.append(Note(name, "the folder holds no audio file"))
            for file in files:
                name = file.relative_to(root).as_posix()
                yield Entry(file, name, role == POSITIVES, slug(folder.name))


def _from_description(path: Path, skipped: list[Note]) -> Iterator[Entry]:
    try:
        description = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"the description {path} can't be read: {error}") from error
    for role, label_key in ((POSITIVES, "word"), (NEGATIVES, "kind")):
        for table in description.get(role, []):
            if label_key not in table or not isinstance(table.get("files"), list):
                raise CorpusError(
                    f"{path}: each [[{role}]] needs {label_key} = ... and files = [...]"
                )
            slices = table.get("slices", {}) if role == POSITIVES else {}
            if not isinstance(slices, dict):
                raise CorpusError(f'{path}: slices must be a table, as {{ speed = "slow" }}')
            every = tuple((name, str(value)) for name, value in slices.items())
            yield from (
                replace(entry, slices=every)
                for entry in _matching(path.parent, table, role, label_key, skipped)
            )


def _matching(
    root: Path, table: dict[str, Any], role: str, label_key: str, skipped: list[Note]
) -> Iterator[Entry]:
    for pattern in table["files"]:
        files = [p for p in sorted(root.glob(pattern)) if p.is_file()]
        if not files:
            skipped.append(Note(pattern, "no file matches"))
        for file in files:
            name = file.relative_to(root).as_posix()
            yield Entry(file, name, role == POSITIVES, slug(table[label_key]))

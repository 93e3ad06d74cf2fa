"""Real recordings without the wake word: one half to learn from, the other to choose by.

A recording is in one half or the other by its speaker where that is known, by itself otherwise.
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from bluering.training.augment import sound
from bluering.training.augment.sound import Sound
from bluering.training.augment.streams import Stream
from bluering.training.errors import TrainingError

_LOUDEST = 0.97
_SHORT = 60.0  # seconds: recordings up to that are heard one after the other


@dataclass(frozen=True)
class Negative:
    """One recording."""

    path: Path
    kind: str
    learn: bool
    seconds: float


def real_negatives(manifest: Path) -> list[Negative]:
    """The negatives of a corpus, in its order; none where there is no corpus."""
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "negatives"]
    try:
        return [
            Negative(
                manifest.parent / row["path"],
                row["label"],
                _learn(row.get("speaker") or row.get("sha256") or row["path"]),
                float(row.get("duration_s") or 0.0),
            )
            for row in rows
        ]
    except (KeyError, ValueError) as error:
        raise TrainingError(f"{manifest} can't be used: {error!r}") from error


def corpus_key(manifest: Path) -> str:
    """A hash of the corpus; empty where there is none."""
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""


@lru_cache(maxsize=1)
def learned(manifest: Path) -> list[tuple[str, Sound]]:
    """The half to learn from, kind and sound, in the corpus's order. Remembered: many files are
    made of it, and decoding takes a sixth of the time of one that alters it."""
    from bluering.sound_files import read

    chosen = [negative for negative in real_negatives(manifest) if negative.learn]
    return [(n.kind, read(n.path).astype(np.float32) / 32768) for n in chosen]


def learned_by_kind(manifest: Path) -> dict[str, list[Sound]]:
    """The half to learn from, by kind."""
    found: dict[str, list[Sound]] = {}
    for kind, x in learned(manifest):
        found.setdefault(kind, []).append(x)
    return found


def streams(negatives: Sequence[Negative]) -> list[Stream]:
    """The recordings as they are, each kind as one long listening."""
    from bluering.sound_files import read

    kinds = dict.fromkeys(negative.kind for negative in negatives)
    return [
        Stream.of(kind, np.concatenate([read(n.path) for n in negatives if n.kind == kind]))
        for kind in kinds
    ]


def altered_stream(
    recordings: Sequence[Sound],
    rooms: Sequence[Sound],
    seed: Sequence[int],
    name: str,
    narrow: float = 0.0,
) -> Stream:
    """The recordings once more: in other rooms, by other voices, louder or softer, two at once.

    narrow: the share of recordings that get a narrow band.
    """
    dice = np.random.default_rng(list(seed))
    parts = []
    for index in dice.permutation(len(recordings)):
        x = recordings[index]
        if dice.random() < 0.6:
            x = sound.speakers(x, dice)
        if dice.random() < 0.5:
            response = rooms[int(dice.integers(len(rooms)))]
            x = np.asarray(fftconvolve(x, response)[: len(x)], np.float32)
        x = sound.transmitted(x, dice, narrow)
        if dice.random() < 0.35:
            other = sound.excerpt(recordings, len(x), dice)
            x = x + other * np.float32(
                dice.uniform(0.1, 1) * sound.rms(x) / (sound.rms(other) + 1e-6)
            )
        peak = float(np.abs(x).max(initial=0.0)) + 1e-9
        x = x / peak * min(_LOUDEST, 10 ** (dice.uniform(-30, 0) / 20))
        parts.append(np.rint(x * 32767).astype(np.int16))
    return Stream.of(name, np.concatenate(parts))


def _learn(identity: str) -> bool:
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0

"""Real recordings without the wake word: one half to train on, the other held out.

Recordings are split by speaker where that is known, one by one otherwise.
"""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from bluering.training.augment import microphone, sound
from bluering.training.augment.sound import Sound
from bluering.training.augment.streams import Stream
from bluering.training.errors import TrainingError

_LOUDEST = 0.97


@dataclass(frozen=True)
class Negative:
    """One recording. learn: whether it is in the half to train on."""

    path: Path
    kind: str
    learn: bool
    seconds: float


def real_negatives(manifest: Path) -> list[Negative]:
    """The negatives of a corpus, in its order; none where there is no corpus. Raises
    TrainingError for a damaged manifest."""
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
def train_half(manifest: Path) -> list[tuple[str, Sound]]:
    """The half to train on, kind and sound, in the corpus's order. Cached: many files are made of
    it, and decoding takes a sixth of the time that altering it takes."""
    from bluering.sound_files import read

    chosen = [negative for negative in real_negatives(manifest) if negative.learn]
    return [(n.kind, read(n.path).astype(np.float32) / 32768) for n in chosen]


def train_half_by_kind(manifest: Path) -> dict[str, list[Sound]]:
    """The half to train on, by kind."""
    found: dict[str, list[Sound]] = {}
    for kind, x in train_half(manifest):
        found.setdefault(kind, []).append(x)
    return found


def streams(negatives: Sequence[Negative]) -> list[Stream]:
    """The recordings as they are, those of a kind joined into one stream."""
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
    """An altered copy of the recordings: other rooms, other voices, other levels, two at once.

    narrow: the share of recordings that are band-limited as by a telephone.
    """
    rng = np.random.default_rng(list(seed))
    parts = []
    for index in rng.permutation(len(recordings)):
        x = recordings[index]
        if rng.random() < 0.6:
            x = sound.speakers(x, rng)
        if rng.random() < 0.5:
            response = rooms[int(rng.integers(len(rooms)))]
            x = np.asarray(fftconvolve(x, response)[: len(x)], np.float32)
        x = microphone.response(x, rng, narrow)
        if rng.random() < 0.35:
            other = sound.excerpt(recordings, len(x), rng)
            x = x + other * np.float32(
                rng.uniform(0.1, 1) * sound.rms(x) / (sound.rms(other) + 1e-6)
            )
        peak = float(np.abs(x).max(initial=0.0)) + 1e-9
        x = x / peak * min(_LOUDEST, 10 ** (rng.uniform(-30, 0) / 20))
        parts.append(np.rint(x * 32767).astype(np.int16))
    return Stream.of(name, np.concatenate(parts))


def _learn(identity: str) -> bool:
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0

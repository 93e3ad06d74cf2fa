"""Recordings of any length without the wake word, as features and as embeddings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.training.augment import embeddings
from bluering.training.augment.features import features


@dataclass(frozen=True)
class Stream:
    """Recordings joined into one. rows: features, (rows, 40) uint8; embedded: their embeddings, as
    `embeddings` gives them."""

    name: str
    rows: NDArray[np.uint8]
    embedded: embeddings.Embeddings

    @classmethod
    def of(cls, name: str, samples: NDArray[np.int16]) -> "Stream":
        """Compute both from samples at 16 kHz."""
        return cls(name, features(samples), embeddings.embeddings(samples))


def write_streams(streams: list[Stream], path: Path) -> None:
    """Save streams; for `kept`."""
    with path.open("wb") as file:
        arrays: dict[str, Any] = {f"rows:{stream.name}": stream.rows for stream in streams}
        arrays |= {f"embedded:{stream.name}": stream.embedded for stream in streams}
        np.savez(file, **arrays)


def read_streams(path: Path) -> list[Stream]:
    """Load the streams of a file, in order."""
    with np.load(path) as stored:
        names = [
            name for kind, _, name in (f.partition(":") for f in stored.files) if kind == "rows"
        ]
        return [Stream(name, stored[f"rows:{name}"], stored[f"embedded:{name}"]) for name in names]

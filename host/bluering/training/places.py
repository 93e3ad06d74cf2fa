"""Where training finds its sources and keeps what it can make again."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes, and with how many processes."""

    cache: Path
    sentences: Path
    corpus: Path  # a manifest.csv, which may be absent
    jobs: int = 2


def cache_folder() -> Path:
    """BLUERING_TRAIN_CACHE, or .cache/train in the current folder."""
    return Path(os.environ.get("BLUERING_TRAIN_CACHE", ".cache/train"))


def voices_folder() -> Path:
    """BLUERING_VOICES, or .cache/voices: what setup/voices.sh unpacked."""
    return Path(os.environ.get("BLUERING_VOICES", ".cache/voices"))

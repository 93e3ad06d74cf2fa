"""Where training keeps what it can make again: clips, features, checkpoints, unpacked voices."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """BLUERING_TRAIN_CACHE, or .cache/train of the folder that the command runs in."""
    return Path(os.environ.get("BLUERING_TRAIN_CACHE", ".cache/train"))


def voices_folder() -> Path:
    """What setup/voices.sh unpacked: BLUERING_VOICES, or .cache/voices."""
    return Path(os.environ.get("BLUERING_VOICES", ".cache/voices"))

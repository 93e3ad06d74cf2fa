"""Where this program keeps what is its user's, and what it can fetch anew."""

import os
from pathlib import Path

import platformdirs  # only some extras bring it


def data() -> Path:
    """The folder of what can't be made again; ``BLUERING_DATA`` names another."""
    return Path(os.environ.get("BLUERING_DATA") or platformdirs.user_data_dir("bluering"))


def cache() -> Path:
    """The folder of what is fetched; ``BLUERING_CACHE`` names another."""
    return Path(os.environ.get("BLUERING_CACHE") or platformdirs.user_cache_dir("bluering"))

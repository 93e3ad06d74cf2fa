"""Files that are either all there, on the disk, or not there."""

import os
from pathlib import Path

PART = ".part"


def write_durably(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read; when this returns, it survives a power cut."""
    aside = path.with_name(path.name + PART)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Delete a file, durably; a missing one is fine."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)

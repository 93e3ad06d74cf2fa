"""Write a file whole or not at all."""

import os
from pathlib import Path

_OWNER_ONLY = 0o600


def write_private(path: Path, data: bytes) -> None:
    """Put ``data`` into ``path``, readable by its owner alone: aside first, then renamed."""
    aside = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(
            os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb"
        ) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

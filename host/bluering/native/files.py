"""The native kernels as files of the device."""

import hashlib
import json

from bluering.native.build import SOURCES, build

_FOLDER = "ear/native"


def device_files() -> dict[str, bytes]:
    """Paths on the device, and contents: each part's kernels, and the index with their digests.

    Raises ``NativeBuildError``.
    """
    parts = {source.stem: build(source) for source in sorted(SOURCES.glob("*.py"))}
    digests = {part: hashlib.sha256(data).hexdigest() for part, data in parts.items()}
    files = {f"{_FOLDER}/{part}.mpy": data for part, data in parts.items()}
    files[f"{_FOLDER}/index.json"] = json.dumps(digests).encode()
    return files

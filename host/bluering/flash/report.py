"""What is in an image, as plain data and as lines for a person."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from bluering.errors import BlueRingError
from bluering.flash import image
from bluering.flash.errors import ImageError


def of(path: Path) -> dict[str, Any]:
    """The contents of the image in ``path``, with hashes. Raises ImageError."""
    try:
        data = path.read_bytes()
        found = image.read(data)
    except OSError as error:
        raise ImageError(f"can't read the image {path}: {error.strerror}") from error
    except BlueRingError as error:
        raise ImageError(f"{path} is no image of this application: {error}") from error
    return {
        "image": {"size": len(data), "sha256": sha256(data).hexdigest()},
        "board": found.about["board"],
        "version": found.about["version"],
        "flash_size": found.flash_size,
        "firmware": found.stock.banner,
        "device": found.identity.id.hex() if found.identity else None,
        "partitions": [
            {
                "name": row.name,
                "offset": row.offset,
                "size": row.size,
                "sha256": sha256(data[row.offset : row.end]).hexdigest(),
            }
            for row in found.stock.table
            if row.offset < found.filesystem_at
        ],
        "filesystem": {
            "offset": found.filesystem_at,
            "size": found.flash_size - found.filesystem_at,
            "sha256": sha256(data[found.filesystem_at :]).hexdigest(),
        },
        "files": [
            {"path": path, "size": len(content), "sha256": sha256(content).hexdigest()}
            for path, content in sorted(found.files.items())
        ],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """A report as lines of text."""
    head = [
        f"image       {found['image']['size']} bytes, sha256 {found['image']['sha256']}",
        f"board       {found['board']}, {found['flash_size'] >> 20} MiB of flash",
        f"application bluering {found['version']}",
        f"firmware    {found['firmware']}",
        f"device      {found['device'] or 'none: it has no identity'}",
    ]
    rows = [*found["partitions"], {"name": "files", **found["filesystem"]}]
    body = [
        f"0x{row['offset']:06x}  {row['size']:>9}  {row['sha256'][:16]}  {row['name']}"
        for row in rows
    ]
    files = [
        f"{'':8}  {row['size']:>9}  {row['sha256'][:16]}  {row['path']}" for row in found["files"]
    ]
    return [*head, "", *body, *files]

"""Stock MicroPython images: which ones are known, fetched once, checked always, kept in a cache."""

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from bluering import __version__, places
from bluering.files import ASIDE, make_folder
from bluering.flash.errors import DownloadError

SITE = "https://micropython.org/resources/firmware"
_CHUNK = 64 << 10
_TIMEOUT = 30  # seconds without a byte

# Called with the bytes that are done and the bytes that there are to do.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pin:
    """A release of a stock image. ``sha256``: its hash in hex, or the beginning that is known."""

    version: str
    date: str
    sha256: str


# Only the first 32 bits of this hash are known for certain: enough against a broken or outdated
# file, not against a forged one; against that stands the TLS certificate of MicroPython's site.
PINS = {"ESP32_GENERIC_S3": Pin("1.27.0", "20251209", "f533115e")}


def fetch(name: str, progress: Progress = lambda _have, _all: None) -> Path:
    """The pinned image called ``name``, from the cache or from MicroPython's site.

    What a broken download left behind is continued. ``BLUERING_CACHE`` names another cache,
    ``BLUERING_FIRMWARE_SITE`` a mirror of the site. Raises DownloadError.
    """
    pin = PINS.get(name)
    if pin is None:
        raise DownloadError(
            f"no SHA-256 is known for the stock image {name}",
            f"download it from micropython.org/download/{name.split('-')[0]} and give it "
            "with --firmware",
        )
    file = f"{name}-{pin.date}-v{pin.version}.bin"
    path = places.cache() / file
    if path.is_file() and _matches(path, pin):
        return path
    make_folder(path.parent)
    part = path.with_suffix(ASIDE)  # kept when the download breaks, to go on from
    site = os.environ.get("BLUERING_FIRMWARE_SITE", SITE)
    _download(f"{site.rstrip('/')}/{file}", part, progress)
    if not _matches(part, pin):
        digest = _sha256(part)
        part.unlink()
        raise DownloadError(
            f"{file} came with SHA-256 {digest[:16]}..., not {pin.sha256}...: it was altered "
            "or damaged on its way and is thrown away",
            "try again, or give the file with --firmware",
        )
    part.replace(path)
    return path


def _matches(path: Path, pin: Pin) -> bool:
    return _sha256(path).startswith(pin.sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(url: str, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    try:
        with _open(url, have) as response:
            if response.status != 206:
                have = 0  # the server sends all of it
            with part.open("ab" if have else "wb") as file:
                _copy(response, file.write, have, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return  # nothing is missing; the hash tells whether it is right
        raise DownloadError(
            f"{url}: the server answers {error.code} {error.reason}",
            "download the image by hand and give it with --firmware",
        ) from error
    except (OSError, HTTPException) as error:
        raise DownloadError(
            f"{url}: {getattr(error, 'reason', None) or error}",
            "run the same command again to go on where it stopped, or give the image with "
            "--firmware",
        ) from error


def _open(url: str, have: int) -> HTTPResponse:
    headers = {"User-Agent": f"bluering/{__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)


def _copy(
    response: HTTPResponse, write: Callable[[bytes], int], have: int, progress: Progress
) -> None:
    total = have + (response.length or 0)
    while chunk := response.read1(_CHUNK):
        write(chunk)
        have += len(chunk)
        progress(have, total)
    if have < total:
        raise ConnectionError(f"the connection broke after {have} of {total} bytes")

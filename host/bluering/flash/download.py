"""Fetch a file over HTTP, going on where an earlier attempt stopped."""

import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from bluering import __version__
from bluering.flash.errors import DownloadError

_CHUNK = 64 << 10
_TIMEOUT = 30  # seconds without a byte

# Called with the bytes that are done and the bytes that there are to do.
Progress = Callable[[int, int], None]


def to_file(url: str, part: Path, progress: Progress) -> None:
    """Fetch ``url`` into ``part``; what is there already is continued. Raises DownloadError.

    Whether all of it is right is for the caller to check.
    """
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
            "run the same command again to go on, or give the image with --firmware",
        ) from error


def _open(url: str, have: int) -> HTTPResponse:
    headers = {"User-Agent": f"bluering/{__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    response = urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
    )
    if url.startswith("https:") and not response.url.startswith("https:"):
        response.close()
        raise ConnectionError(f"it leads to {response.url}, which TLS doesn't protect")
    return response


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

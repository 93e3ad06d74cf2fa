"""Stock MicroPython images: which ones are known, fetched once, checked always, kept in a cache."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from bluering import files, places
from bluering.boards.psram import OCTAL, PLAIN
from bluering.flash import download, firmware
from bluering.flash.download import Progress
from bluering.flash.errors import DownloadError, FirmwareError

SITE = "https://micropython.org/resources/firmware"

# Called with a sentence for the person at the terminal.
Tell = Callable[[str], None]

# The date in the file names of a release.
RELEASES = {"1.27.0": "20251209", "1.28.0": "20260406", "1.29.0": "20260824"}
DEFAULT = "1.27.0"

# SHA-256 by name and version.
KNOWN = {
    (PLAIN, "1.27.0"): "f533115edca660863b1308445d5c08e3fa108b34c39229a53c2f984a8186a9cd",
    # Published by others who fetched them, and not checked here:
    (PLAIN, "1.28.0"): "8c6039d40024cae3c6b04bb434f77901548f5487df9789af15548c54f9e11d7f",
    (PLAIN, "1.29.0"): "1dd9dcd27ba2d6a1cb7f7b49a063f46d3d807d68b0151161233920228285e300",
    (OCTAL, "1.29.0"): "ab24eadfe3ef0e6ee38834d730e648def7cd82f3fa51ee0bbc59c29a6e1bd176",
}


def fetch(
    name: str,
    version: str = DEFAULT,
    progress: Progress = lambda _have, _all: None,
    tell: Tell = lambda _sentence: None,
) -> Path:
    """The image called ``name`` of a release, from the cache or from MicroPython's site.

    It must have the SHA-256 in ``KNOWN``. When there is none, the first download is taken as it
    comes, which ``tell`` hears of; its hash is kept beside it, and no later one may differ.

    A broken download is continued if its hash is known. ``BLUERING_CACHE`` names another cache,
    ``BLUERING_FIRMWARE_SITE`` a mirror of the site. Raises DownloadError.
    """
    if version not in RELEASES:
        raise DownloadError(
            f"MicroPython {version} is no release known here ({', '.join(RELEASES)})",
            f"download the image from micropython.org/download/{name.split('-')[0]} and give it "
            "with --firmware",
        )
    file = f"{name}-{RELEASES[version]}-v{version}.bin"
    path = places.cache() / file
    expected = KNOWN.get((name, version)) or _remembered(path)
    if expected and path.is_file() and _sha256(path) == expected:
        return path
    files.make_folder(path.parent)
    part = path.with_suffix(files.ASIDE)  # kept when the download breaks, to go on from
    if not expected:
        part.unlink(missing_ok=True)  # no hash would tell what an older part spoils
    site = os.environ.get("BLUERING_FIRMWARE_SITE", SITE).rstrip("/")
    download.to_file(f"{site}/{file}", part, progress)
    digest = _sha256(part)
    if not expected:
        _trust(part, path, digest, site, tell)
    elif digest != expected:
        part.unlink()
        raise _differs(path, digest, expected, (name, version) in KNOWN)
    part.replace(path)
    return path


def known(data: bytes) -> str | None:
    """The name and version of the known image with these bytes, or None when it is none."""
    digest = hashlib.sha256(data).hexdigest()
    return next((" ".join(release) for release, its in KNOWN.items() if its == digest), None)


def _remembered(path: Path) -> str | None:
    """The SHA-256 that the image had when it was first fetched, if it was."""
    note = _note(path)
    return note.read_text()[:64] if note.is_file() else None


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")  # as sha256sum -c reads it


def _trust(part: Path, path: Path, digest: str, site: str, tell: Tell) -> None:
    """Take a first download as it came, if it is firmware at all, and keep its hash."""
    try:
        firmware.parse(part.read_bytes())
    except FirmwareError as error:
        part.unlink()
        raise DownloadError(f"{site} sent something else for {path.name}: {error}") from error
    files.write_private(_note(path), f"{digest}  {path.name}\n")
    guard = "over TLS" if site.startswith("https:") else "without TLS, so nothing vouches for it"
    tell(
        f"no SHA-256 of {path.name} is known here: it is taken as {site} sent it {guard}, and "
        f"from now on it must be {digest}"
    )


def _differs(path: Path, digest: str, expected: str, pinned: bool) -> DownloadError:
    came = f"{path.name} came with SHA-256 {digest}, "
    if pinned:
        return DownloadError(
            f"{came}not {expected}: it was altered or damaged on its way and is thrown away",
            "try again, or give the file with --firmware",
        )
    return DownloadError(
        f"{came}but had {expected} when it was first fetched: it was altered or damaged on its "
        "way, or replaced on the site, and is thrown away",
        f"try again; if you know that it was replaced, delete {_note(path)} to accept the new one",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

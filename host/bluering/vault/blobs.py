"""Encrypted recordings as files, one each, named by the recording's id.

A blob is encrypted with AES-256-GCM under a key of its own, which the database keeps wrapped
by the master key: to destroy the small key is to destroy the recording. Both encryptions
authenticate the recording's facts too, so that no row can be given another one's sound.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluering.files import ASIDE, make_folder, remove, write_private
from bluering.vault.aes import KEY_SIZE, seal, unseal
from bluering.vault.errors import DamagedError

_SUFFIX = ".blob"


class Blobs:
    """The folder of blobs of one vault."""

    def __init__(self, folder: Path, master_key: bytes) -> None:
        self._folder = folder
        self._master = AESGCM(master_key)

    def path(self, blob_id: str) -> Path:
        """Where a blob is kept; two hex digits of its id name the subfolder."""
        return self._folder / blob_id[:2] / (blob_id + _SUFFIX)

    def write(self, blob_id: str, data: bytes, facts: bytes) -> bytes:
        """Store ``data``, durably; returns the blob's wrapped key for the database."""
        key = secrets.token_bytes(KEY_SIZE)
        path = self.path(blob_id)
        make_folder(path.parent, private=True)
        write_private(path, seal(AESGCM(key), data, facts))
        return seal(self._master, key, facts)

    def read(self, blob_id: str, wrapped_key: bytes, facts: bytes) -> bytes:
        """A blob's data. Raises DamagedError when blob, key or facts were altered."""
        try:
            sealed = self.path(blob_id).read_bytes()
        except FileNotFoundError:
            raise DamagedError(f"the sound of recording {blob_id} is missing") from None
        try:
            return unseal(AESGCM(unseal(self._master, wrapped_key, facts)), sealed, facts)
        except InvalidTag:
            raise DamagedError(f"recording {blob_id} was altered") from None

    def delete(self, blob_id: str) -> None:
        """Remove a blob's file; a missing one is fine."""
        remove(self.path(blob_id))

    def ids(self) -> Iterator[str]:
        """The ids of all blobs that there are files of."""
        for path in self._folder.glob(f"*/*{_SUFFIX}"):
            yield path.name.removesuffix(_SUFFIX)

    def strangers(self) -> Iterator[Path]:
        """Files that are no blobs."""
        for path in self._folder.rglob("*"):
            if path.is_file() and path != self.path(path.name.removesuffix(_SUFFIX)):
                yield path

    def remove_parts(self) -> None:
        """Remove what an interrupted write left behind."""
        for path in self._folder.glob(f"*/*{ASIDE}"):
            remove(path)

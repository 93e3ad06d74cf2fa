"""A vault's folder: what it is made of, and the file that describes it."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluering.files import make_folder, write_private
from bluering.vault import masterkey
from bluering.vault.aes import seal, unseal
from bluering.vault.database import sqlite_url
from bluering.vault.errors import NoVaultError, VaultError, WrongKeyError

_DESCRIPTION = "vault.json"


@dataclass(frozen=True)
class Folder:
    """An opened folder: the database's URL, where the blobs are, the master key."""

    path: Path
    id: str
    url: str
    key: bytes

    @property
    def blobs(self) -> Path:
        """The folder of the blobs."""
        return self.path / "blobs"


def create(path: Path, passphrase: str | None, database: str | None = None) -> Folder:
    """Make a vault's folder. Raises VaultError when there is one already."""
    vault_id = secrets.token_hex(8)
    _refuse_existing(path)
    key, description = masterkey.create(vault_id, passphrase)
    return adopt(path, vault_id, key, description, database)


def adopt(
    path: Path,
    vault_id: str,
    key: bytes,
    description: masterkey.Description,
    database: str | None,
) -> Folder:
    """Make a vault's folder for a key that there is already."""
    _refuse_existing(path)
    make_folder(path, private=True)
    make_folder(path / "blobs", private=True)
    check = seal(AESGCM(key), b"", vault_id.encode())
    text = {"id": vault_id, "database": database, "key": description, "check": check.hex()}
    write_private(path / _DESCRIPTION, json.dumps(text, indent=1))
    return Folder(path, vault_id, database or sqlite_url(path / "vault.db"), key)


def load(path: Path, ask: masterkey.Ask) -> Folder:
    """Open a vault's folder; ``ask`` is called if its key needs a passphrase."""
    text = describe(path)
    key = masterkey.load(text["key"], ask)
    check = bytes.fromhex(text["check"])
    try:
        unseal(AESGCM(key), check, text["id"].encode())
    except InvalidTag:
        raise WrongKeyError("the key in the system's keyring is another vault's") from None
    return Folder(path, text["id"], text["database"] or sqlite_url(path / "vault.db"), key)


def describe(path: Path) -> dict[str, Any]:
    """What the description says. Raises NoVaultError."""
    try:
        return json.loads((path / _DESCRIPTION).read_text())
    except FileNotFoundError:
        raise NoVaultError(
            f"there is no vault in {path}", "'bluering vault create' makes one"
        ) from None
    except (OSError, ValueError) as error:
        raise VaultError(f"{path / _DESCRIPTION} can't be read: {error}") from error


def _refuse_existing(path: Path) -> None:
    if (path / _DESCRIPTION).exists():
        raise VaultError(f"there is a vault in {path} already")

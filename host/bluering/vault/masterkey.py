"""The vault's master key: in the system's keyring, or wrapped by a passphrase (argon2id).

The key itself is 32 random bytes. The vault's ``vault.json`` says where it is; with a passphrase
it also holds the key, encrypted with AES-256-GCM under what argon2id makes of the passphrase.
Parameters: RFC 9106's second recommendation (64 MiB, 3 passes, 4 lanes).
"""

import secrets
from collections.abc import Callable
from typing import Any

import keyring
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from keyring.errors import KeyringError

from bluering.vault.aes import KEY_SIZE, NONCE_SIZE
from bluering.vault.errors import VaultError, WrongKeyError

SHORTEST_PASSPHRASE = 15
_SERVICE = "bluering vault"
_ARGON2 = {"time_cost": 3, "memory_cost": 65536, "parallelism": 4}

Ask = Callable[[], str]
Description = dict[str, Any]


def create(vault_id: str, passphrase: str | None) -> tuple[bytes, Description]:
    """A new master key and where it is; without a passphrase it goes to the keyring."""
    key = secrets.token_bytes(KEY_SIZE)
    return key, _to_keyring(vault_id, key) if passphrase is None else wrap(key, passphrase)


def load(description: Description, ask: Ask) -> bytes:
    """The master key; ``ask`` is called if it needs a passphrase."""
    if description["kind"] == "keyring":
        return _from_keyring(description["name"])
    return unwrap(description, ask())


def wrap(key: bytes, passphrase: str) -> Description:
    """A description that holds ``key`` wrapped by a passphrase."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise VaultError(f"a passphrase needs at least {SHORTEST_PASSPHRASE} characters")
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(NONCE_SIZE)
    description: Description = {"kind": "passphrase", "salt": salt.hex(), **_ARGON2}
    wrapped = AESGCM(_derive(description, passphrase)).encrypt(nonce, key, None)
    return description | {"nonce": nonce.hex(), "wrapped": wrapped.hex()}


def unwrap(description: Description, passphrase: str) -> bytes:
    """The key that ``wrap`` put into a description. Raises WrongKeyError."""
    nonce, wrapped = bytes.fromhex(description["nonce"]), bytes.fromhex(description["wrapped"])
    try:
        return AESGCM(_derive(description, passphrase)).decrypt(nonce, wrapped, None)
    except InvalidTag:
        raise WrongKeyError("the passphrase is wrong") from None


def _derive(description: Description, passphrase: str) -> bytes:
    return hash_secret_raw(
        passphrase.encode(),
        bytes.fromhex(description["salt"]),
        time_cost=description["time_cost"],
        memory_cost=description["memory_cost"],
        parallelism=description["parallelism"],
        hash_len=KEY_SIZE,
        type=Type.ID,
    )


def _to_keyring(vault_id: str, key: bytes) -> Description:
    try:
        keyring.set_password(_SERVICE, vault_id, key.hex())
    except KeyringError as error:
        raise VaultError(
            f"the system's keyring takes no key ({error})",
            "use a passphrase: 'bluering vault create --passphrase'",
        ) from error
    return {"kind": "keyring", "name": vault_id}


def _from_keyring(name: str) -> bytes:
    try:
        key = keyring.get_password(_SERVICE, name)
    except KeyringError as error:
        raise VaultError(
            f"the system's keyring can't be read ({error})", "unlock it and try again"
        ) from error
    if key is None:
        raise WrongKeyError(
            "the system's keyring has no key for this vault",
            "was it made by another user or on another computer? 'bluering vault restore' "
            "opens a backup with its passphrase",
        )
    return bytes.fromhex(key)

"""Authenticated encryption of what review keeps in the database: AES-256-GCM.

The key is derived from the vault's master key (HKDF, RFC 5869), so that it is used for nothing
else. What is sealed is bound to its place: it opens nowhere else in the database.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluering.review.errors import ReviewError

_NONCE_SIZE = 12


class Seal:
    """Seals and opens bytes under one vault's master key."""

    def __init__(self, master_key: bytes) -> None:
        self._cipher = AESGCM(
            HKDF(hashes.SHA256(), 32, None, b"bluering review 1").derive(master_key)
        )

    def close(self, data: bytes, place: str) -> bytes:
        """Encrypt for one place, as "totp ACCOUNT"."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, data, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises ReviewError when it was altered or is another place's."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], place.encode())
        except InvalidTag:
            raise ReviewError(f"what the database holds for {place} was altered") from None

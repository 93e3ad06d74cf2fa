"""Authenticated encryption of what review keeps in the database: AES-256-GCM.

The key is derived from the vault's master key (HKDF, RFC 5869), so that it is used for nothing
else. What is sealed is bound to its place: it opens nowhere else in the database.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluering.review.errors import ReviewError
from bluering.vault.aes import KEY_SIZE, seal, unseal


class Seal:
    """Seals and opens bytes under one vault's master key."""

    def __init__(self, master_key: bytes) -> None:
        self._cipher = AESGCM(
            HKDF(hashes.SHA256(), KEY_SIZE, None, b"bluering review 1").derive(master_key)
        )

    def close(self, data: bytes, place: str) -> bytes:
        """Encrypt for one place, as "totp ACCOUNT"."""
        return seal(self._cipher, data, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises ReviewError when it was altered or is another place's."""
        try:
            return unseal(self._cipher, sealed, place.encode())
        except InvalidTag:
            raise ReviewError(f"what the database holds for {place} was altered") from None

"""AES-256-GCM with a random nonce in front of what it encrypts (NIST SP 800-38D)."""

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE, NONCE_SIZE = 32, 12  # bytes


def seal(cipher: AESGCM, data: bytes, facts: bytes) -> bytes:
    """Encrypt ``data``, bound to ``facts``, which stay readable elsewhere."""
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + cipher.encrypt(nonce, data, facts)


def unseal(cipher: AESGCM, sealed: bytes, facts: bytes) -> bytes:
    """What was sealed. Raises InvalidTag when it, the key or the facts aren't the same."""
    return cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], facts)

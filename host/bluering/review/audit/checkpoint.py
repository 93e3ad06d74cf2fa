"""Checkpoints: the log's size and head at a moment, signed (Ed25519), to be kept elsewhere."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from bluering.files import write_private
from bluering.review.audit.log import canonical, stamp
from bluering.review.errors import ReviewError
from bluering.review.models import AuditHead
from bluering.review.sealing import Seal

_VERSION = 1
_PLACE = "audit signing key"


@dataclass(frozen=True)
class Checkpoint:
    """What the log was: its size in entries and the last one's hash, both hexadecimal."""

    size: int
    head: str
    at: str
    public_key: str
    signature: str = ""
    version: int = _VERSION

    def message(self) -> bytes:
        """What is signed."""
        fields = asdict(self) | {"what": "bluering audit checkpoint"}
        del fields["signature"]
        return canonical(fields).encode()

    def is_genuine(self) -> bool:
        """Whether the signature is that of its public key."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), self.message())
        except (InvalidSignature, ValueError):
            return False
        return True


def new_key(seal: Seal) -> tuple[bytes, str]:
    """A signing key: sealed for the database, and its public half in hexadecimal."""
    key = Ed25519PrivateKey.generate()
    return seal.close(key.private_bytes_raw(), _PLACE), _public(key)


def sign(session: Session, seal: Seal, moment: datetime) -> Checkpoint:
    """A checkpoint of the log as the session sees it."""
    head = session.scalars(select(AuditHead)).one()
    key = Ed25519PrivateKey.from_private_bytes(seal.open(head.signing_key, _PLACE))
    unsigned = Checkpoint(head.size, head.head, stamp(moment), _public(key))
    return replace(unsigned, signature=key.sign(unsigned.message()).hex())


def write(checkpoint: Checkpoint, path: Path) -> None:
    """Write a new file. Raises ReviewError when there is one: old checkpoints are evidence.

    Raises FileError when it can't be written.
    """
    if path.exists():
        raise ReviewError(f"{path} exists already", "name a new file for each checkpoint")
    write_private(path, json.dumps(asdict(checkpoint), indent=1) + "\n")


def read(path: Path) -> Checkpoint:
    """Raises ReviewError when it is none."""
    try:
        checkpoint = Checkpoint(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ReviewError(f"{path} is no checkpoint: {error}") from error
    if checkpoint.version != _VERSION:
        raise ReviewError(f"{path} was written by a newer version of this program")
    return checkpoint


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()

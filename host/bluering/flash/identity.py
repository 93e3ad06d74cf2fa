"""What makes one device different from the next: an id and a key, put into its NVS partition.

The key decrypts the device's recordings, so it stays on this computer in a file that only its
owner can read, and in the device. The id is random: it tells nobody a serial number or a MAC.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from bluering import files, places
from bluering.flash import nvs
from bluering.flash.errors import ImageError
from ear.privacy.identity import ID_SIZE
from ear.privacy.keys import KEY_SIZE

NAMESPACE = "bluering"


@dataclass(frozen=True)
class Identity:
    """A device's random id (8 bytes) and its secret key (32 bytes)."""

    id: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"Identity({self.id.hex()})"  # never the key, wherever this is printed


def new() -> Identity:
    """An identity that no device has yet."""
    return Identity(secrets.token_bytes(ID_SIZE), secrets.token_bytes(KEY_SIZE))


def folder() -> Path:
    """Where the identities of this computer's devices are kept."""
    return places.data() / "identities"


def save(identity: Identity) -> Path:
    """Keep ``identity`` on this computer, readable by its owner alone; returns the file."""
    path = folder() / f"{identity.id.hex()}.json"
    _write(identity, path)
    return path


def _write(identity: Identity, path: Path) -> Identity:
    files.make_folder(path.parent, private=True)
    text = json.dumps({"id": identity.id.hex(), "key": identity.key.hex()}) + "\n"
    files.write_private(path, text)
    return identity


def named(name: str) -> Identity:
    """The identity kept on this computer under a name; a new one when there is none yet."""
    path = folder() / f"{name}.json"
    return load(path) if path.is_file() else _write(new(), path)


def load(path: Path) -> Identity:
    """The identity in a file. Raises ImageError when it holds none."""
    try:
        data = json.loads(path.read_text())
        identity = Identity(bytes.fromhex(data["id"]), bytes.fromhex(data["key"]))
    except OSError as error:
        raise ImageError(f"can't read the identity {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ImageError(f"{path} holds no identity: it needs 'id' and 'key' in hex") from error
    if (len(identity.id), len(identity.key)) != (ID_SIZE, KEY_SIZE):
        raise ImageError(f"{path} holds no identity: the id has 8 bytes, the key 32")
    return identity


def saved() -> dict[str, Identity]:
    """Every identity kept on this computer, by id in hex."""
    kept = (load(path) for path in sorted(folder().glob("*.json")))
    return {identity.id.hex(): identity for identity in kept}


def to_nvs(identity: Identity, size: int) -> bytes:
    """An NVS partition of ``size`` bytes that holds the identity and nothing else."""
    return nvs.build(NAMESPACE, {"id": identity.id, "key": identity.key}, size)


def from_nvs(partition: bytes) -> Identity | None:
    """The identity in an NVS partition, or None when there is none, or only a part of one."""
    blobs = nvs.read(partition, NAMESPACE)
    device, key = blobs.get("id", b""), blobs.get("key", b"")
    if (len(device), len(key)) != (ID_SIZE, KEY_SIZE):
        return None
    return Identity(device, key)

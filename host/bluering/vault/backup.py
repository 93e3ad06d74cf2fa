"""A backup: one tar file with every row and every blob, still encrypted.

The master key goes with it, wrapped by a passphrase, so that it opens on another computer. A
recording that is deleted later stays in older backups until they are deleted too; restoring
brings it back only if its retention hasn't ended. What other parts of the program keep beside the
vault's tables goes with them: they hand over a ``Companion``.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, LargeBinary, Table, insert, select

from bluering import files
from bluering.vault import folder as folders
from bluering.vault import masterkey
from bluering.vault.errors import VaultError
from bluering.vault.models import STORED, Base, Recording
from bluering.vault.vault import Vault

_VERSION = 2
_MANIFEST = "manifest.json"
_BLOBS = "blobs/"


@dataclass(frozen=True)
class Companion:
    """Tables that another part of the program keeps in the vault's database."""

    tables: Sequence[Table]
    """In the order in which they can be filled."""
    is_there: Callable[[Engine], bool]
    """Whether this vault has them."""
    make: Callable[[Engine], None]
    """Make them, empty."""
    restored: Callable[[Connection], None]
    """Is called when they are filled again, in the same transaction."""


def backup(
    vault: Vault, target: Path, passphrase: str, companions: Iterable[Companion] = ()
) -> int:
    """Write everything into ``target``; returns the number of recordings in it."""
    if target.exists():
        raise VaultError(f"{target} exists already: a backup overwrites nothing")
    vault.note("backup", why="command")  # first, so that the backup has it too
    tables = list(Base.metadata.sorted_tables)
    for companion in companions:
        tables += companion.tables if companion.is_there(vault.engine) else ()
    manifest = {
        "version": _VERSION,
        "vault": vault.folder.id,
        "key": masterkey.wrap(vault.folder.key, passphrase),
        "tables": _dump(vault, tables),
    }
    rows = manifest["tables"][Recording.__tablename__]
    ids = [row["id"] for row in rows if row["state"] == STORED]
    with files.writing(target, private=True) as file, tarfile.open(fileobj=file, mode="w") as tar:
        _add(tar, _MANIFEST, json.dumps(manifest).encode())
        for blob_id in ids:
            try:
                _add(tar, _BLOBS + blob_id, vault.blobs.path(blob_id).read_bytes())
            except FileNotFoundError:
                raise VaultError(
                    f"recording {blob_id} has no blob",
                    "'bluering vault verify' tells what is wrong",
                ) from None
    return len(ids)


def restore(
    source: Path,
    target: Path,
    passphrase: str,
    database: str | None = None,
    companions: Iterable[Companion] = (),
) -> Vault:
    """Make a vault in the folder ``target`` out of a backup, under the same passphrase.

    Raises WrongKeyError, and VaultError when there is a vault already or it is no backup.
    """
    try:
        with files.making(target) as aside, tarfile.open(source) as tar:
            _unpack(tar, aside, passphrase, database, companions)
    except (OSError, tarfile.TarError, ValueError, KeyError) as error:
        raise VaultError(
            f"{source} can't be restored to {target}: {error}", getattr(error, "hint", "")
        ) from error
    return Vault.open(target, lambda: passphrase)


def _unpack(
    tar: tarfile.TarFile,
    target: Path,
    passphrase: str,
    database: str | None,
    companions: Iterable[Companion],
) -> None:
    manifest = json.loads(_read(tar, _MANIFEST))
    if manifest["version"] > _VERSION:
        raise VaultError("the backup was made by a newer version of this program")
    key = masterkey.unwrap(manifest["key"], passphrase)
    folder = folders.adopt(target, manifest["vault"], key, manifest["key"], database)
    vault = Vault(folder)
    for row in manifest["tables"][Recording.__tablename__]:
        if row["state"] == STORED:
            path = vault.blobs.path(row["id"])
            files.make_folder(path.parent, private=True)
            files.write_private(path, _read(tar, _BLOBS + row["id"]))
    _load(vault, manifest["tables"], companions)
    vault.close()


def _dump(vault: Vault, tables: Sequence[Table]) -> dict[str, list[dict[str, Any]]]:
    """All of one moment, whatever others write meanwhile."""
    with vault.engine.connect() as connection:
        if vault.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        return {
            table.name: [
                {name: _to_json(value) for name, value in row.items()}
                for row in connection.execute(select(table)).mappings()
            ]
            for table in tables
        }


def _load(
    vault: Vault, tables: dict[str, list[dict[str, Any]]], companions: Iterable[Companion]
) -> None:
    filled = list(Base.metadata.sorted_tables)
    there = [companion for companion in companions if companion.tables[0].name in tables]
    for companion in there:
        companion.make(vault.engine)
        filled += companion.tables
    if unknown := tables.keys() - {table.name for table in filled}:
        raise VaultError(f"this program doesn't know what to do with {', '.join(sorted(unknown))}")
    with vault.engine.begin() as connection:
        for table in filled:
            rows = [
                {name: _from_json(table.c[name].type, value) for name, value in row.items()}
                for row in tables[table.name]
            ]
            if rows:
                connection.execute(insert(table), rows)
        for companion in there:
            companion.restored(connection)


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def _from_json(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, LargeBinary):
        return bytes.fromhex(value)
    if isinstance(getattr(kind, "impl", kind), DateTime):
        return datetime.fromisoformat(value)
    return value


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o600
    tar.addfile(entry, io.BytesIO(data))


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()

"""The vault on SQLite and on PostgreSQL: what goes in comes out, and goes when it must."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete

from bluering.vault import upkeep
from bluering.vault.errors import (
    DamagedError,
    NoVaultError,
    ReplayError,
    VaultError,
    WrongKeyError,
)
from bluering.vault.models import PENDING, Base, Recording, Wake
from bluering.vault.vault import Vault
from tests.unit import vault_world
from tests.unit.vault_world import PASSPHRASE, recording


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with vault_world.memory_folder() as folder:
        yield folder


@pytest.fixture
def vault(database_url: str | None, tmp_path: Path) -> Iterator[Vault]:
    vault = Vault.create(tmp_path / "vault", PASSPHRASE, database_url)
    yield vault
    if database_url:
        with vault.session() as session, session.begin():
            session.execute(delete(Recording))
            session.execute(delete(Wake))
    vault.close()


def test_what_goes_in_comes_out(vault: Vault):
    new = recording(gaps=((160, 800),))
    stored = vault.find(vault.store(new))
    np.testing.assert_array_equal(vault.samples(stored), new.samples)
    [(row, wake)] = vault.list()
    assert row.gaps == "[[160, 800]]"
    assert row.complete is False
    assert wake is not None
    assert (wake.word, wake.score, wake.cutoff) == ("alexa", 251, 247)
    assert upkeep.verify(vault).ok


def test_it_opens_again_with_its_passphrase_only(vault: Vault):
    stored = vault.store(recording())
    path = vault.folder.path
    again = Vault.open(path, lambda: PASSPHRASE)
    assert again.find(stored[:6]).id == stored
    assert len(again.samples(again.find("last"))) == 24000
    with pytest.raises(WrongKeyError):
        Vault.open(path, lambda: "another passphrase altogether")
    again.close()


def test_nothing_is_stored_twice_not_even_after_deletion(vault: Vault):
    stored = vault.store(recording())
    with pytest.raises(ReplayError):
        vault.store(recording())
    vault.delete([stored], "owner")
    with pytest.raises(ReplayError):
        vault.store(recording())
    assert vault.list() == []


def test_deletion_destroys_the_key_and_the_file(vault: Vault):
    stored = vault.store(recording())
    row = vault.find("last")
    assert row.wrapped_key
    blob = vault.blobs.path(stored)
    assert blob.is_file()
    assert vault.delete([stored], "owner") == 1
    assert not blob.exists()
    [(tombstone, wake)] = vault.list(tombstones=True)
    assert tombstone.wrapped_key is None
    assert (tombstone.samples, tombstone.received_at, tombstone.gaps) == (None, None, None)
    assert tombstone.deleted_why == "owner"
    assert wake is not None  # the event stays
    assert upkeep.verify(vault).ok
    if vault.engine.dialect.name == "sqlite":
        vault.close()
        for file in vault.folder.path.glob("vault.db*"):
            assert row.wrapped_key not in file.read_bytes()


def test_delete_everything(vault: Vault):
    for number in range(5):
        vault.store(recording(number))
    assert vault_world.delete_all(vault) == 5
    assert list(vault.blobs.ids()) == []
    assert len(vault.list(tombstones=True)) == 5


def test_retention_ends_by_itself(vault: Vault):
    short, _long = (vault.store(recording(days, retention_days=days)) for days in (1, 10))
    assert vault.purge() == 0
    assert vault.purge(datetime.now(UTC) + timedelta(days=2)) == 1
    assert [row.id for row, _ in vault.list()] == [_long]
    assert not vault.blobs.path(short).exists()
    assert vault.purge(older_than_days=0) == 1


def test_a_false_wake_loses_its_sound_and_keeps_its_reasons(vault: Vault):
    vault.store(recording(7))
    assert vault.delete_false("0102030405060708", 4, 7)
    assert vault.list() == []
    [(row, wake)] = vault.list(tombstones=True)
    assert row.deleted_why == "false wake"
    assert wake is not None
    assert wake.false_by == "owner"
    assert not vault.delete_false("0102030405060708", 4, 8)


def test_verify_finds_what_is_altered_missing_or_surplus(vault: Vault):
    ids = [vault.store(recording(number)) for number in range(4)]
    altered = vault.blobs.path(ids[0])
    data = bytearray(altered.read_bytes())
    data[len(data) // 2] ^= 1
    altered.write_bytes(data)
    vault.blobs.path(ids[1]).unlink()
    swapped = vault.blobs.path(ids[2])
    swapped.write_bytes(vault.blobs.path(ids[3]).read_bytes())
    surplus = vault.blobs.path("f" * 32)
    surplus.parent.mkdir(exist_ok=True)
    surplus.write_bytes(b"what is this")
    (vault.folder.blobs / "notes.txt").write_text("hello")
    problems = upkeep.verify(vault).problems
    assert len(problems) == 5
    assert sum("was altered" in problem for problem in problems) == 2
    assert sum("is missing" in problem for problem in problems) == 1
    assert sum("no recording has" in problem for problem in problems) == 1
    assert sum("doesn't belong here" in problem for problem in problems) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("device", "f" * 16),
        ("reason", "mute"),
        ("complete", False),
        ("samples", 5),
        ("gaps", "[]x"),
    ],
)
def test_verify_finds_an_altered_row(vault: Vault, column: str, value: object):
    stored = vault.store(recording())
    with vault.session() as session, session.begin():
        setattr(session.get_one(Recording, stored), column, value)
    with pytest.raises(DamagedError):
        vault.samples(vault.find("last"))
    assert not upkeep.verify(vault).ok


def test_recovery_clears_what_a_crash_left(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    kept, deleted = vault.store(recording(1)), vault.store(recording(2))
    leftover = vault.blobs.path(deleted).read_bytes()
    vault.delete([deleted], "owner")
    vault.blobs.path(deleted).write_bytes(leftover)

    monkeypatch.setattr(vault, "forget", lambda _: None)

    def crash(*_: object) -> bytes:
        (vault.folder.blobs / "00").mkdir(exist_ok=True)
        (vault.folder.blobs / "00" / "x.blob.part").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(vault.blobs, "write", crash)
    with pytest.raises(KeyboardInterrupt):
        vault.store(recording(3))
    monkeypatch.undo()
    assert not upkeep.verify(vault).ok
    with upkeep.locked(vault):
        upkeep.recover(vault)
    assert upkeep.verify(vault).problems == []
    assert [row.id for row, _ in vault.list()] == [kept]
    with vault.session() as session:
        assert session.query(Recording).filter_by(state=PENDING).count() == 0
    vault.store(recording(3))  # what was never acknowledged may come again


def test_a_full_disk_keeps_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault.blobs, "write", full)
    with pytest.raises(OSError, match="No space"):
        vault.store(recording())
    monkeypatch.undo()
    assert upkeep.verify(vault).ok
    vault.store(recording())


def test_one_receiver_at_a_time(vault: Vault):
    with (
        upkeep.locked(vault),
        pytest.raises(VaultError, match="another 'bluering listen'"),
        upkeep.locked(vault),
    ):
        pass


def test_find_says_what_is_wrong(vault: Vault):
    with pytest.raises(VaultError, match="no recording"):
        vault.find("last")
    for number in range(40):
        vault.note_wake(vault_world.wake(number))
    ids = [vault.store(recording(number)) for number in range(17)]
    first = next(name[0] for name in ids if sum(other[0] == name[0] for other in ids) > 1)
    with pytest.raises(VaultError, match="more than one"):
        vault.find(first)
    with pytest.raises(VaultError, match="no recording"):
        vault.find("%")


def test_migrations_make_the_tables_of_the_models(vault: Vault):
    with vault.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert differences == []


def test_no_sound_is_on_the_disk_in_clear(vault: Vault):
    sound = np.full(24000, 0x4142, np.int16)  # "BABA..."
    vault.store(recording(samples=sound))
    for file in vault.folder.path.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"BABABABA" not in data
            assert b"fLaC" not in data
            assert vault.folder.key not in data


def test_files_are_the_owners_alone(vault: Vault):
    vault.store(recording())
    for path in [*vault.folder.blobs.rglob("*"), vault.folder.path / "vault.json"]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_missing_vault_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(NoVaultError, match="there is no vault in") as caught:
        Vault.open(tmp_path, lambda: PASSPHRASE)
    assert "bluering vault create" in caught.value.hint
    with pytest.raises(VaultError, match="15 characters"):
        Vault.create(tmp_path / "vault", "too short")
    Vault.create(tmp_path / "vault", PASSPHRASE).close()
    with pytest.raises(VaultError, match="already"):
        Vault.create(tmp_path / "vault", PASSPHRASE)


def test_a_database_that_is_not_there(tmp_path: Path):
    with pytest.raises(VaultError, match="doesn't answer"):
        Vault.create(tmp_path / "vault", PASSPHRASE, "postgresql+psycopg://localhost:1/none")
    with pytest.raises(VaultError, match="can't be used"):
        Vault.create(tmp_path / "other", PASSPHRASE, "nonsense://x")


def test_sqlite_is_set_up_to_survive_a_power_cut(tmp_path: Path):
    vault = Vault.create(tmp_path / "vault", PASSPHRASE)
    with vault.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "secure_delete", "foreign_keys")
        }
    assert pragmas == {"synchronous": 3, "secure_delete": 1, "foreign_keys": 1}
    vault.close()
    assert sqlite3.connect(tmp_path / "vault" / "vault.db").execute("select 1").fetchone()

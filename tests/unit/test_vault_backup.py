"""A backup brings everything back, elsewhere, or nothing at all."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import numpy as np
import pytest
from keyring.errors import PasswordSetError

from bluering.vault import upkeep
from bluering.vault.backup import backup, restore
from bluering.vault.errors import VaultError, WrongKeyError
from bluering.vault.vault import Vault
from tests.unit import vault_world
from tests.unit.vault_world import PASSPHRASE, recording

OTHER = "another passphrase for the backup"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with vault_world.memory_folder() as folder:
        yield folder


@pytest.fixture
def vault(tmp_path: Path):
    vault = Vault.create(tmp_path / "vault", PASSPHRASE)
    yield vault
    vault.close()


def test_everything_comes_back_under_the_backups_passphrase(vault: Vault, tmp_path: Path):
    kept = vault.store(recording(1, gaps=((0, 160),)))
    gone = vault.store(recording(2))
    vault.delete([gone], "owner")
    assert backup(vault, tmp_path / "backup.tar", OTHER) == 1
    copy = restore(tmp_path / "backup.tar", tmp_path / "copy", OTHER)
    assert upkeep.verify(copy).ok
    assert [row.id for row, _ in copy.list()] == [kept]
    assert len(copy.list(tombstones=True)) == 2
    np.testing.assert_array_equal(copy.samples(copy.find("last")), recording(1).samples)
    assert copy.find("last").facts() == vault.find("last").facts()
    copy.close()


def test_a_wrong_passphrase_or_a_spoilt_file_leaves_nothing(vault: Vault, tmp_path: Path):
    vault.store(recording())
    file = tmp_path / "backup.tar"
    backup(vault, file, OTHER)
    with pytest.raises(WrongKeyError):
        restore(file, tmp_path / "copy", PASSPHRASE)
    spoilt = tmp_path / "spoilt.tar"
    spoilt.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(VaultError, match="can't be restored"):
        restore(spoilt, tmp_path / "copy", OTHER)
    without = tmp_path / "without.tar"
    with tarfile.open(file) as source, tarfile.open(without, "w") as target:
        target.addfile(source.getmember("manifest.json"), source.extractfile("manifest.json"))
    with pytest.raises(VaultError, match="can't be restored"):
        restore(without, tmp_path / "copy", OTHER)
    assert not list(tmp_path.glob("copy*"))


def test_nothing_is_overwritten(vault: Vault, tmp_path: Path):
    file = tmp_path / "backup.tar"
    backup(vault, file, OTHER)
    with pytest.raises(VaultError, match="exists already"):
        backup(vault, file, OTHER)
    with pytest.raises(VaultError, match="can't be restored"):
        restore(file, vault.folder.path, OTHER)
    assert upkeep.verify(vault).ok


def test_no_backup_of_a_damaged_vault(vault: Vault, tmp_path: Path):
    vault.blobs.path(vault.store(recording())).unlink()
    with pytest.raises(VaultError, match="has no blob") as caught:
        backup(vault, tmp_path / "backup.tar", OTHER)
    assert "verify" in caught.value.hint
    assert not list(tmp_path.glob("*backup*"))


class _Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise PasswordSetError("locked")
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.secrets[service, username]


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    ring = _Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def _never_asked() -> str:
    raise AssertionError("no passphrase is needed")


def test_the_key_can_be_in_the_keyring(ring: _Ring, tmp_path: Path):
    vault = Vault.create(tmp_path / "vault", None)
    stored = vault.store(recording())
    again = Vault.open(tmp_path / "vault", _never_asked)
    assert len(again.samples(again.find(stored))) == 24000
    backup(again, tmp_path / "backup.tar", OTHER)
    ring.secrets.clear()
    with pytest.raises(WrongKeyError, match="no key for this vault"):
        Vault.open(tmp_path / "vault", _never_asked)
    copy = restore(tmp_path / "backup.tar", tmp_path / "copy", OTHER)
    assert upkeep.verify(copy).ok
    for opened in (vault, again, copy):
        opened.close()


def test_another_vaults_key_in_the_keyring_is_noticed(ring: _Ring, tmp_path: Path):
    Vault.create(tmp_path / "vault", None).close()
    [place] = ring.secrets
    ring.secrets[place] = "00" * 32
    with pytest.raises(WrongKeyError, match="another vault"):
        Vault.open(tmp_path / "vault", _never_asked)


def test_without_a_keyring_a_passphrase_is_suggested(ring: _Ring, tmp_path: Path):
    ring.locked = True
    with pytest.raises(VaultError, match="keyring takes no key") as caught:
        Vault.create(tmp_path / "vault", None)
    assert "--passphrase" in caught.value.hint
    assert not (tmp_path / "vault").exists()

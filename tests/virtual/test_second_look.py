"""The second look, from the microphone of a virtual board to the vault."""

from collections.abc import Iterator

import pytest

from bluering.vault.notices import Notice, Stored
from bluering.vault.second_look import SecondLook, by_the_same_model
from bluering.vault.vault import Vault
from bluering.virtual.runner import VirtualBoard
from tests.unit import vault_world
from tests.virtual.listened import listen


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
        yield vault
        vault.close()


def _is_stored(_: VirtualBoard, notices: list[Notice]) -> bool:
    return bool(_stored(notices))


def _stored(notices: list[Notice]) -> list[Stored]:
    return [notice for notice in notices if isinstance(notice, Stored)]


def test_a_confirmed_wake_is_kept(vault: Vault) -> None:
    judged = []
    look = SecondLook(by_the_same_model())

    def judge(assembly):
        verdict = look(assembly)
        if verdict is not None:
            judged.append(verdict)
        return verdict

    settings = {"record": True, "pre_roll": True, "longest_s": 1}
    notices = listen(vault, settings, _is_stored, pre_roll=True, judge=judge)
    assert judged == [True]
    [stored] = _stored(notices)
    assert stored.recording is not None
    assert stored.recording.complete
    assert stored.recording.pre_roll == 8000


def test_a_false_wake_is_cancelled_before_anything_is_kept(vault: Vault) -> None:
    """With a judge that says no: the device stops, nothing but the event is left."""
    look = SecondLook(by_the_same_model())

    def judge(assembly):
        return None if look(assembly) is None else False

    def cancelled(_: VirtualBoard, notices: list[Notice]) -> bool:
        return any("is cancelled" in notice.text for notice in notices)

    settings = {"record": True, "pre_roll": True, "longest_s": 8}
    notices = listen(vault, settings, cancelled, pre_roll=True, judge=judge)
    assert "is cancelled" in notices[-1].text
    assert not _stored(notices)
    assert vault.list() == []
    [(tombstone, _)] = vault.list(tombstones=True)
    assert tombstone.deleted_why == "second look"
    assert tombstone.wrapped_key is tombstone.samples is None
    assert list(vault.blobs.ids()) == []
    with vault.session() as session:
        from bluering.vault.models import Wake

        assert [wake.false_by for wake in session.query(Wake).all()] == ["second look"]


def test_without_the_devices_consent_it_says_so_and_keeps(vault: Vault) -> None:
    judge = SecondLook(by_the_same_model())
    settings = {"record": True, "pre_roll": False, "longest_s": 1}
    notices = listen(vault, settings, _is_stored, pre_roll=True, judge=judge)
    assert any("config set pre_roll on" in notice.text for notice in notices)
    [stored] = _stored(notices)
    assert stored.recording is not None
    assert stored.recording.pre_roll == 0

"""The second look, from the microphone of a virtual board to the vault."""

import itertools
import time
from collections.abc import Iterator

import numpy as np
import pytest

from bluering import audio
from bluering.models.packaged import packaged
from bluering.vault import listening
from bluering.vault.receiver import Notice, Stored
from bluering.vault.second_look import SecondLook, by_the_same_model
from bluering.vault.vault import Vault
from bluering.virtual.hub import Hub
from bluering.virtual.runner import VirtualBoard
from tests.unit import vault_world
from tests.virtual.test_trace import CALL

_PATIENCE_S = 120


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
        yield vault
        vault.close()


def _sound() -> Iterator[bytes]:
    """The same call again and again, in a quiet room."""
    room = np.random.default_rng(1).normal(0, 5, 4 * 16000).astype("<i2").tobytes()
    for _ in itertools.count():
        yield room
        yield audio.read(CALL).tobytes()


def _listen(vault: Vault, settings: dict, judge, enough) -> list[Notice]:
    notices: list[Notice] = []
    end = time.monotonic() + _PATIENCE_S
    board = VirtualBoard(
        [packaged("alexa")], _sound(), pace="real", settings={"record": True, **settings}
    )
    with board, Hub(board.from_device, board.to_device, ("127.0.0.1", 0)) as hub:
        listening.listen(
            vault,
            [hub.url],
            {board.identity.id: board.identity.key},
            lambda _, notice: notices.append(notice),
            pre_roll=True,
            judge=judge,
            keep_going=lambda: not enough(notices) and time.monotonic() < end,
        )
    return notices


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

    notices = _listen(vault, {"pre_roll": True, "longest_s": 1}, judge, _stored)
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

    def cancelled(notices: list[Notice]) -> bool:
        return any("is cancelled" in notice.text for notice in notices)

    notices = _listen(vault, {"pre_roll": True, "longest_s": 8}, judge, cancelled)
    assert cancelled(notices)
    assert not _stored(notices)
    assert vault.list(tombstones=True) == []
    assert list(vault.blobs.ids()) == []
    with vault.session() as session:
        from bluering.vault.models import Wake

        assert [wake.false_by for wake in session.query(Wake).all()] == ["second look"]


def test_without_the_devices_consent_it_says_so_and_keeps(vault: Vault) -> None:
    judge = SecondLook(by_the_same_model())
    notices = _listen(vault, {"pre_roll": False, "longest_s": 1}, judge, _stored)
    assert any("config set pre_roll on" in notice.text for notice in notices)
    [stored] = _stored(notices)
    assert stored.recording is not None
    assert stored.recording.pre_roll == 0

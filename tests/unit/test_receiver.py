"""The receiver, message by message: what is stored, what is refused, and with which words."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NoReturn

import numpy as np
import pytest
from sqlalchemy import event

from bluering.link.connection import Disconnected
from bluering.link.reader import Received
from bluering.link.records import Record, RecordingAck, RecordingCancel, RecordingStart, Wake
from bluering.vault import upkeep
from bluering.vault.assembly import Assembly
from bluering.vault.notices import Notice, Stored
from bluering.vault.receiver import Receiver
from bluering.vault.trust import Registry
from bluering.vault.vault import Vault
from ear.privacy import gate
from tests.unit import sound_world, vault_world


@pytest.fixture
def vault() -> Iterator[Vault]:
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
        yield vault
        vault.close()


@pytest.fixture
def receiver(vault: Vault) -> Receiver:
    return _receiver(vault)


def _receiver(vault: Vault, registry: Registry | None = None, port: str = "p", judge=None):
    identities = {sound_world.DEVICE: sound_world.KEY}
    receiver = Receiver(vault, identities, registry or Registry(), port, judge)
    list(receiver.handle(Received(0.0, sound_world.hello())))
    return receiver


def _feed(receiver: Receiver, messages: Iterable[Record], at: float = 0.0) -> list[Notice]:
    return [notice for message in messages for notice in receiver.handle(Received(at, message))]


def test_stored_then_acknowledged(receiver: Receiver, vault: Vault):
    [notice] = _feed(receiver, sound_world.recording(3))
    assert isinstance(notice, Stored)
    assert notice.answer == RecordingAck(boot=1, number=3, stored=1)
    np.testing.assert_array_equal(vault.samples(vault.find("last")), sound_world.sound(3, 20))


def test_any_order_and_doubles_change_nothing(receiver: Receiver, vault: Vault):
    start, *chunks, end = sound_world.recording()
    shuffled = [chunks[at] for at in np.random.default_rng(1).permutation(20)]
    [notice] = _feed(receiver, [start, start, *shuffled[:10], end, *shuffled, *shuffled])
    assert isinstance(notice, Stored)
    np.testing.assert_array_equal(vault.samples(vault.find("last")), sound_world.sound(1, 20))


def test_a_gap_is_marked_with_its_position(receiver: Receiver):
    start, *chunks, end = sound_world.recording()
    assert _feed(receiver, [start, *chunks[:5], *chunks[7:], end]) == []
    [notice] = receiver.tick(5.0)
    assert isinstance(notice, Stored)
    assert notice.recording is not None
    assert notice.recording.gaps == ((5 * 160, 2 * 160),)
    assert not notice.recording.complete
    assert "INCOMPLETE" in notice.text


@pytest.mark.parametrize("way", ["unplugged", "stalled", "restarted", "next recording"])
def test_a_recording_without_its_end(receiver: Receiver, way: str):
    start, *chunks, _ = sound_world.recording()
    assert _feed(receiver, [start, *chunks[:8]]) == []
    if way == "unplugged":
        notices = list(receiver.handle(Disconnected(1.0, "gone")))
    elif way == "stalled":
        assert list(receiver.tick(5.0)) == []
        notices = list(receiver.tick(20.0))
    elif way == "restarted":
        notices = _feed(receiver, [sound_world.hello(session=8)])
    else:
        notices = _feed(receiver, sound_world.recording(2)[:1])
    [notice] = notices
    assert isinstance(notice, Stored)
    assert notice.recording is not None
    assert (notice.recording.complete, notice.recording.reason) == (False, "connection lost")
    assert len(notice.recording.samples) == 8 * 160


def test_an_altered_chunk_is_not_used(receiver: Receiver):
    start, *chunks, end = sound_world.recording()
    altered = replace(chunks[4], data=bytes(320))  # type: ignore[call-arg]
    moved = replace(chunks[6], first=0)  # type: ignore[call-arg]
    notices = _feed(receiver, [start, *chunks[:4], altered, chunks[5], moved, *chunks[7:], end])
    assert [notice.failed for notice in notices] == [True, True]
    assert "piece 4 of recording 1 was altered" in notices[0].text
    [stored] = receiver.tick(5.0)
    assert isinstance(stored, Stored)
    assert stored.recording is not None
    assert stored.recording.gaps == ((4 * 160, 160), (6 * 160, 160))


def test_another_recordings_chunk_is_not_used(receiver: Receiver):
    start, *_ = sound_world.recording(1)
    foreign = replace(sound_world.recording(2)[3], number=1)  # type: ignore[call-arg]
    [notice] = _feed(receiver, [start, foreign])
    assert "altered" in notice.text


def test_an_unknown_device_and_a_wrong_key(vault: Vault):
    for identities, words in (({}, "isn't known here"), ({sound_world.DEVICE: bytes(32)}, "wrong")):
        receiver = Receiver(vault, identities, Registry(), "p")
        [notice] = _feed(receiver, sound_world.recording())
        assert words in notice.text
        assert notice.answer == RecordingAck(boot=1, number=1, stored=0)
    assert vault.list() == []


def test_two_boards_with_one_identity(vault: Vault):
    registry = Registry()
    first, second = (_receiver(vault, registry, port) for port in ("/dev/one", "/dev/two"))
    assert isinstance(_feed(first, sound_world.recording(1))[0], Stored)
    [notice] = _feed(second, sound_world.recording(2))
    assert "/dev/two and /dev/one have the same identity" in notice.text
    list(first.handle(Disconnected(1.0, "gone")))
    assert isinstance(_feed(second, sound_world.recording(3))[0], Stored)


def test_a_replay_is_refused_also_after_deletion(receiver: Receiver, vault: Vault):
    _feed(receiver, sound_world.recording())
    vault_world.delete_all(vault)
    [notice] = _feed(receiver, sound_world.recording())
    assert "replay" in notice.text
    assert vault.list() == []


def test_what_was_cancelled_or_marked_cannot_be_replayed(receiver: Receiver, vault: Vault):
    """Nothing of it is in the vault, and still it is known."""
    unwanted = sound_world.recording(1, reason=gate.CANCEL)
    _feed(receiver, unwanted)
    current = sound_world.recording(2)
    _feed(receiver, current[:9])
    start, *chunks, _ = unwanted
    [notice] = _feed(receiver, [start, *chunks])
    assert "a replay" in notice.text
    [stored] = _feed(receiver, current[9:])
    assert isinstance(stored, Stored)
    assert stored.recording is not None
    assert (stored.recording.number, stored.recording.complete) == (2, True)
    _feed(receiver, [sound_world.hello(session=9), start, *chunks])
    assert list(receiver.tick(60.0)) == []
    assert [row.number for row, _ in vault.list()] == [2]


@pytest.fixture(params=["sqlite", "postgresql"])
def either_vault(request: pytest.FixtureRequest) -> Iterator[Vault]:
    with vault_world.memory_folder() as folder, vault_world.database(request.param) as url:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE, url)
        yield vault
        vault.close()


def _full_disk(*_: object) -> NoReturn:
    raise OSError(28, "No space left on device")


UNWANTED = ("cancelled", "marked on the way", "marked unseen", "second look")


def _turn_away(vault: Vault, way: str) -> None:
    """Recording 1 is sent, and nothing of it is kept."""
    judge = (lambda _: False) if way == "second look" else None
    receiver = _receiver(vault, judge=judge)
    reason = {"cancelled": gate.CANCEL, "marked on the way": gate.FALSE_MARK}
    start, *rest = sound_world.recording(1, reason=reason.get(way, gate.SILENCE))
    if way == "marked unseen":  # whoever is on the link keeps it back
        _feed(receiver, [sound_world.false_wake(1)])
    else:
        _feed(receiver, [start, *rest])
    list(receiver.handle(Disconnected(1.0, "gone")))


@pytest.mark.parametrize("way", UNWANTED)
def test_what_was_unwanted_cannot_be_replayed_to_the_next_receiver(either_vault: Vault, way: str):
    """Also when the one that turned it away has ended: the vault remembers."""
    _turn_away(either_vault, way)
    assert either_vault.list() == []
    again = _receiver(either_vault)
    notices = _feed(again, sound_world.recording(1))
    assert "a replay" in notices[0].text
    assert not any(isinstance(notice, Stored) for notice in notices)
    assert list(again.tick(60.0)) == []
    assert either_vault.list() == []
    [stored] = _feed(again, sound_world.recording(2))
    assert isinstance(stored, Stored)


@pytest.mark.parametrize("way", UNWANTED)
def test_of_what_was_unwanted_a_tombstone_is_left(vault: Vault, way: str):
    _turn_away(vault, way)
    [(tombstone, wake)] = vault.list(tombstones=True)
    assert (tombstone.boot, tombstone.number) == (1, 1)
    assert tombstone.wrapped_key is tombstone.samples is tombstone.received_at is None
    why = {"cancelled": "cancelled", "second look": "second look"}.get(way, "false wake")
    assert tombstone.deleted_why == why
    assert (wake is None) == (way == "marked unseen")
    if wake is not None:
        says_false = {"second look": "second look", "marked on the way": "owner"}
        assert wake.false_by == says_false.get(way)
    assert list(vault.blobs.ids()) == []
    report = upkeep.verify(vault)
    assert (report.recordings, report.tombstones, report.problems) == (0, 1, [])
    assert vault.purge(older_than_days=0) == 0


def test_a_false_wake_without_a_recording_leaves_no_tombstone(receiver: Receiver, vault: Vault):
    _feed(receiver, [sound_world.false_wake(0)])
    assert vault.list(tombstones=True) == []
    [stored] = _feed(receiver, sound_world.recording(1))
    assert isinstance(stored, Stored)


def test_a_mark_that_the_vault_could_not_keep_is_kept_when_it_is_told_again(
    receiver: Receiver, vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vault, "turn_away", _full_disk)
    [notice] = _feed(receiver, [sound_world.false_wake(1)])
    assert "No space left on device" in notice.text
    monkeypatch.undo()
    _feed(receiver, [sound_world.false_wake(1)] * 2)
    assert vault.knows(sound_world.DEVICE.hex(), 1, 1)
    [notice] = _feed(_receiver(vault), sound_world.recording(1))[:1]
    assert "a replay" in notice.text


def test_a_cancelled_recording_is_turned_away_as_soon_as_the_vault_can_be_written(
    receiver: Receiver, vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vault, "turn_away", _full_disk)
    [notice] = _feed(receiver, sound_world.recording(1, reason=gate.CANCEL))
    assert "No space left on device" in notice.text
    [again] = receiver.tick(20.0)
    assert again.failed
    assert list(receiver.tick(21.0)) == []  # not told all the time
    monkeypatch.undo()
    [written] = receiver.tick(40.0)
    assert "can be written again" in written.text
    assert list(receiver.tick(60.0)) == []
    [(tombstone, wake)] = vault.list(tombstones=True)
    assert (tombstone.number, tombstone.deleted_why) == (1, "cancelled")
    assert wake is not None


def test_a_second_look_stops_the_device_though_the_vault_cannot_be_written(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    receiver = _receiver(vault, judge=lambda _: False)
    monkeypatch.setattr(vault, "turn_away", _full_disk)
    cancelled, problem = _feed(receiver, sound_world.recording(1))
    assert cancelled.answer == RecordingCancel(number=1)
    assert "No space left on device" in problem.text
    monkeypatch.undo()
    list(receiver.tick(20.0))
    [(tombstone, wake)] = vault.list(tombstones=True)
    assert tombstone.deleted_why == "second look"
    assert wake is not None
    assert wake.false_by == "second look"


def test_after_its_flash_was_erased_a_device_s_new_recordings_are_taken(vault: Vault):
    """It counts anew; what was lost whole, and is deleted since, has the same number."""
    receiver = _receiver(vault)
    _feed(receiver, sound_world.recording(1))
    _feed(receiver, sound_world.recording(3))
    assert [row.number for row, _ in vault.list() if row.salt == ""] == [2]
    vault_world.delete_all(vault)
    [stored] = _feed(_receiver(vault), sound_world.recording(2))
    assert isinstance(stored, Stored)


def test_the_beginning_is_missing(receiver: Receiver, vault: Vault):
    _, *rest = sound_world.recording()
    assert _feed(receiver, rest) == []
    [notice] = receiver.tick(5.0)
    assert "the beginning of recording 1 is missing" in notice.text
    assert vault.list() == []


def test_a_full_disk_is_said_and_not_acknowledged(
    receiver: Receiver, vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vault.blobs, "write", _full_disk)
    [notice] = _feed(receiver, sound_world.recording())
    assert "No space left on device" in notice.text
    assert "disk full" in notice.text
    assert notice.answer == RecordingAck(boot=1, number=1, stored=0)
    monkeypatch.undo()
    assert upkeep.verify(vault).ok
    assert vault.list() == []


def test_a_full_database_is_said_and_ends_nothing(receiver: Receiver, vault: Vault):
    """SQLite itself finds no more room, whatever it is that comes."""
    vault.engine.dispose()
    full = lambda connection, _: connection.execute("PRAGMA max_page_count=1")  # noqa: E731
    event.listen(vault.engine, "connect", full)
    notices: list[Notice] = []
    for number in range(200):
        wake = Wake(100 * number, 0, 251, 247, bytes(32), "alexa" * 40, bytes(5))
        notices += _feed(receiver, [wake])
        if notices[-1].failed:
            break
    assert "database or disk is full" in notices[-1].text
    assert "(wake) could not be dealt with" in notices[-1].text
    for number in range(1, 100):
        notices = _feed(receiver, sound_world.recording(number))
        if notices[-1].failed:
            break
    assert "Is the disk full?" in notices[-1].text
    assert not any(isinstance(notice, Stored) for notice in notices)
    assert upkeep.verify(vault).ok
    event.remove(vault.engine, "connect", full)
    vault.engine.dispose()
    assert isinstance(_feed(receiver, sound_world.recording(200))[-1], Stored)
    assert upkeep.verify(vault).ok


@pytest.mark.parametrize("when", ["during", "after"])
def test_a_false_wake_leaves_only_its_reasons(receiver: Receiver, vault: Vault, when: str):
    messages = sound_world.recording()
    _feed(receiver, messages[:10] if when == "during" else messages)
    [notice] = _feed(receiver, [sound_world.false_wake(1)])
    assert "marked the last wake as false" in notice.text
    _feed(receiver, messages[10:])
    assert list(receiver.tick(60.0)) == []
    assert vault.list() == []
    assert vault.note_wake(vault_world.wake()) != ""
    with vault.session() as session:
        from bluering.vault.models import Wake as Row

        rows = session.query(Row).filter_by(false_by="owner").all()
    assert [(row.word, row.score) for row in rows] == [("alexa", 251)]


def test_a_forged_request_to_delete_deletes_nothing(receiver: Receiver, vault: Vault):
    _feed(receiver, sound_world.recording())
    forged = replace(sound_world.false_wake(2), number=1)
    [notice] = _feed(receiver, [forged])
    assert "altered" in notice.text
    assert len(vault.list()) == 1


@pytest.mark.parametrize("reason", [gate.FALSE_MARK, gate.CANCEL])
def test_an_unwanted_recording_is_not_kept(receiver: Receiver, vault: Vault, reason: int):
    assert _feed(receiver, sound_world.recording(reason=reason)) == []
    assert list(receiver.tick(60.0)) == []
    assert vault.list() == []
    [(tombstone, _)] = vault.list(tombstones=True)
    assert tombstone.wrapped_key is tombstone.samples is None


def test_a_wake_without_a_recording_is_kept_as_an_event(receiver: Receiver, vault: Vault):
    wake = Wake(100, 0, 251, 247, bytes(32), "alexa", bytes(5))
    [notice] = _feed(receiver, [wake])
    assert "heard 'alexa' (score 251, cutoff 247)" in notice.text
    _feed(receiver, sound_world.recording(1))  # of the same wake: it is one event
    [(_, row)] = vault.list()
    assert row is not None
    with vault.session() as session:
        from bluering.vault.models import Wake as Row

        assert session.query(Row).count() == 1


@pytest.mark.parametrize("verdict", [True, False])
def test_the_second_look_cancels_before_anything_is_kept(vault: Vault, verdict: bool):
    def judge(assembly: Assembly) -> bool | None:
        return None if assembly.length < 800 else verdict

    receiver = _receiver(vault, judge=judge)
    messages = sound_world.recording()
    notices = _feed(receiver, messages)
    notices += receiver.tick(60.0)
    if verdict:
        assert isinstance(notices[0], Stored)
        return
    [notice] = notices
    assert notice.answer == RecordingCancel(number=1)
    assert vault.list() == []
    assert list(vault.blobs.ids()) == []


@pytest.mark.parametrize("codec", [0, 2, 9])
def test_a_start_with_an_unknown_codec(receiver: Receiver, vault: Vault, codec: int):
    from bluering.vault.assembly import recording_keys

    start = sound_world.recording()[0]
    assert isinstance(start, RecordingStart)
    odd = replace(start, codec=codec)
    odd = sound_world.tagged(recording_keys(sound_world.KEY, odd).authentication, odd)
    [notice] = _feed(receiver, [odd])
    assert f"sound in codec {codec}, which this program doesn't know: update it" in notice.text
    assert notice.answer == RecordingAck(boot=1, number=1, stored=0)
    assert vault.list() == []


def test_a_lost_beginning_is_made_good_when_it_is_told_again(receiver: Receiver, vault: Vault):
    start, *rest = sound_world.recording()
    assert _feed(receiver, rest[:12]) == []
    [notice] = _feed(receiver, [start, *rest[12:]])
    assert isinstance(notice, Stored)
    assert notice.recording is not None
    assert notice.recording.complete
    np.testing.assert_array_equal(vault.samples(vault.find("last")), sound_world.sound(1, 20))


def test_what_is_told_again_changes_nothing(receiver: Receiver, vault: Vault):
    start, *chunks, end = sound_world.recording()
    notices = _feed(receiver, [start, *chunks[:10], start, *chunks[10:], start, end, end])
    assert [type(notice) for notice in notices] == [Stored]
    marks = _feed(receiver, [sound_world.false_wake(1)] * 3)
    assert len(marks) == 1
    assert list(receiver.tick(60.0)) == []
    assert vault.list() == []


def test_a_forged_beginning_does_not_disturb_what_is_received(receiver: Receiver):
    start, *rest = sound_world.recording()
    forged = replace(start, retention_days=3000)  # type: ignore[call-arg]
    refused, stored = _feed(receiver, [start, *rest[:9], forged, *rest[9:]])
    assert "somebody altered what it sent" in refused.text
    assert isinstance(stored, Stored)
    assert stored.recording is not None
    assert stored.recording.complete
    assert stored.recording.retention_days == 30
    # Also when it comes first: the true one is told again.
    other = sound_world.recording(2)
    forged = replace(other[0], consent=1)  # type: ignore[call-arg]
    refused, stored = _feed(receiver, [forged, *other[1:5], other[0], *other[5:]])
    assert isinstance(stored, Stored)
    assert stored.recording is not None
    assert stored.recording.complete
    assert not stored.recording.review


def test_an_end_that_never_came_is_a_gap_at_the_end(receiver: Receiver):
    start, *chunks, _ = sound_world.recording()
    _feed(receiver, [start, *chunks[:5]])
    [notice] = receiver.tick(60.0)
    assert isinstance(notice, Stored)
    assert notice.recording is not None
    assert notice.recording.gaps == ((5 * 160, 0),)
    assert "INCOMPLETE, missing: all after 0.05 s" in notice.text


def test_a_recording_of_which_nothing_came_is_kept_as_that(receiver: Receiver, vault: Vault):
    _feed(receiver, sound_world.recording(1))
    *missed, stored = _feed(receiver, sound_world.recording(4))
    assert isinstance(stored, Stored)
    assert stored.recording is not None
    assert stored.recording.complete
    for number, notice in enumerate(missed, 2):
        assert notice.failed
        assert notice.answer is None
        assert f"nothing of recording {number} can be opened" in notice.text
    rows = {row.number: (row, wake) for row, wake in vault.list()}
    assert rows.keys() == {1, 2, 3, 4}
    for number in (2, 3):
        row, wake = rows[number]
        assert (row.complete, row.samples, row.gaps, row.review) == (False, 0, "[[0, 0]]", False)
        assert wake is None
        assert vault.samples(row).size == 0
    assert upkeep.verify(vault).ok


def test_a_recording_whose_beginning_never_came_is_kept_as_that(receiver: Receiver, vault: Vault):
    """Only once a verified recording proves that it was: also if it was the first one heard."""
    _feed(receiver, sound_world.recording(5)[1:])
    [notice] = receiver.tick(60.0)
    assert "the beginning of recording 5 is missing" in notice.text
    assert vault.list() == []
    _feed(receiver, sound_world.recording(6)[1:9])
    lost, *more = _feed(receiver, sound_world.recording(7))
    assert "the beginning of recording 6 is missing" in lost.text
    assert [type(one) for one in more] == [Stored, Stored, Stored]
    complete = {row.number: row.complete for row, _ in vault.list()}
    assert complete == {5: False, 6: False, 7: True}


def test_made_up_pieces_make_no_recordings(receiver: Receiver, vault: Vault):
    for number in (9, 4_000_000_000):
        _feed(receiver, sound_world.recording(number)[1:])
    _feed(receiver, sound_world.recording(1))
    assert [row.number for row, _ in vault.list()] == [1]


def test_of_what_was_marked_as_false_not_even_that_is_kept(receiver: Receiver, vault: Vault):
    _feed(receiver, sound_world.recording(1))
    _feed(receiver, [sound_world.false_wake(2), sound_world.false_wake(3)])
    _feed(receiver, sound_world.recording(5))
    assert {row.number for row, _ in vault.list()} == {1, 4, 5}
    # It may be told after the next recording has begun.
    _feed(receiver, [sound_world.false_wake(4)])
    assert {row.number for row, _ in vault.list()} == {1, 5}


def test_a_recording_of_which_only_the_beginning_came(receiver: Receiver, vault: Vault):
    _feed(receiver, sound_world.recording(1)[:1])
    [notice] = receiver.tick(60.0)
    assert isinstance(notice, Stored)
    assert "INCOMPLETE, missing: all after 0.00 s" in notice.text
    [(row, wake)] = vault.list()
    assert wake is not None
    assert (row.complete, row.samples, row.gaps) == (False, 0, "[[0, 0]]")
    assert upkeep.verify(vault).ok


def test_old_pieces_push_nothing_aside(receiver: Receiver):
    """They come again while a beginning is awaited."""
    old = sound_world.recording(1)
    _feed(receiver, sound_world.recording(2))
    start, *rest = sound_world.recording(3)
    [notice] = _feed(receiver, [*rest[:5], *old[3:7], start, *rest[5:]])
    assert isinstance(notice, Stored)
    assert notice.recording is not None
    assert notice.recording.complete

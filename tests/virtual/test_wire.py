"""Sound by wire: a recording gives the same on every device, whatever it goes through."""

import itertools
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from bluering import audio, demo
from bluering.link import Connection, Received, wire
from bluering.link.records import Log, Record, Ring, Scores, Wake, WiredHop
from bluering.models.packaged import packaged
from bluering.virtual.hub import Hub
from bluering.virtual.listen import hear
from bluering.virtual.pipe import Pipe
from bluering.virtual.runner import VirtualBoard
from ear import ring

MUTE = 7  # the virtual board's pin
QUIET = bytes(32000)


@pytest.fixture
def board() -> Iterator[VirtualBoard]:
    """A board in a quiet room, with a link that carries sound as fast as it is heard."""
    words = [packaged("alexa"), packaged("hey_echo")]
    with VirtualBoard(words, itertools.repeat(QUIET), pace="real", roomy=True) as board:
        yield board


def call() -> np.ndarray:
    """The first call of the demo's scene, a second around it, and not quite a hop more."""
    first = demo.truth().calls[0]
    start, end = (round(at * 100) * 160 for at in (first.start - 1.2, first.end + 1))
    return audio.read(demo.FLAC)[start : end + 37]


def results(said: list[Record]) -> list[Record]:
    return [message for message in said if isinstance(message, Scores | Wake)]


def shown(said: list[Record]) -> list[str]:
    return [ring.STATES[message.state] for message in said if isinstance(message, Ring)]


def by_microphone(sound: np.ndarray, word_size: int = 64) -> list[Record]:
    words = [packaged("alexa"), packaged("hey_echo")]
    return results(hear(words, [sound.tobytes()], word_size=word_size))


def in_pieces(sound: np.ndarray, size: int) -> list[np.ndarray]:
    return [sound[at : at + size] for at in range(0, len(sound), size)]


def test_the_wire_gives_what_the_microphone_gives(word_size: int) -> None:
    sound = call()
    words = [packaged("alexa"), packaged("hey_echo")]
    room = itertools.repeat(QUIET)
    with VirtualBoard(words, room, pace="real", word_size=word_size) as board:
        link = Pipe(board)
        # Twice: nothing of the first recording, or of the room, is left in the second.
        said = [list(wire.hear(link, in_pieces(sound, size))) for size in (1000, 16001)]
    expected = by_microphone(sound, word_size)
    assert any(isinstance(message, Wake) for message in expected)
    assert results(said[0]) == expected
    assert results(said[1]) == expected


@pytest.mark.parametrize("way", ["pty", "socket"])
def test_ports_give_the_same(board: VirtualBoard, way: str) -> None:
    sound = call()
    with ExitStack() as opened:
        hub = opened.enter_context(Hub(board.from_device, board.to_device, ("127.0.0.1", 0)))
        connection = opened.enter_context(Connection(hub.path if way == "pty" else hub.url))
        said = list(wire.hear(connection, [sound]))
    assert results(said) == by_microphone(sound)


def test_the_ring_shows_the_bench_and_then_listens(board: VirtualBoard) -> None:
    said = list(wire.hear(Pipe(board), [call()]))
    states = shown(said)
    assert states[-1] == "listening"
    assert set(states[:-1]) <= {"bench"}
    # At most 25 frames a second of sound, and the two that begin and end it.
    assert len(states) <= len(call()) / 160 / ring.FRAME_HOPS + 2


def test_a_muted_device_refuses(board: VirtualBoard) -> None:
    board.switch(MUTE, 0)
    with pytest.raises(wire.WireError, match="muted"):
        list(wire.hear(Pipe(board), [call()]))


def test_the_switch_ends_it(board: VirtualBoard) -> None:
    link = Pipe(board)
    playing = wire.hear(link, itertools.repeat(call()))
    next(playing)
    board.switch(MUTE, 0)
    with pytest.raises(wire.WireError, match="left the bench: its ring shows 'muted'"):
        list(playing)
    board.switch(MUTE, 1)
    assert results(list(wire.hear(link, [call()]))) == by_microphone(call())


def test_a_host_that_went_away_leaves_nothing_behind(board: VirtualBoard) -> None:
    playing = wire.hear(Pipe(board), itertools.repeat(call()))
    for _ in range(5):
        next(playing)
    # Neither ended nor closed: hops and messages are on their way when the next one comes.
    assert results(list(wire.hear(Pipe(board), [call()]))) == by_microphone(call())


def test_a_lost_message_is_no_result(board: VirtualBoard) -> None:
    link = Pipe(board)
    playing = wire.hear(link, itertools.repeat(call()))
    next(playing)
    os.read(board.from_device.fileno(), 40)
    with pytest.raises(wire.WireError, match=r"lost on the way|between messages are none"):
        list(playing)


class Careless(Pipe):
    """Loses the fifth hop."""

    def send(self, message: Record) -> None:
        self._hops = getattr(self, "_hops", 0) + isinstance(message, WiredHop)
        if not (isinstance(message, WiredHop) and self._hops == 5):
            super().send(message)


def test_a_lost_hop_is_no_result(board: VirtualBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_PATIENCE_S", 2.0)
    with pytest.raises(wire.WireError, match="1 hops were sent that it never heard"):
        list(wire.hear(Careless(board), [call()]))


def test_a_host_that_falls_silent_is_not_waited_for_for_ever(word_size: int) -> None:
    """In fast mode the half minute that the device waits is short."""
    words, room = [packaged("alexa")], itertools.repeat(QUIET)
    with VirtualBoard(words, room, word_size=word_size) as board:
        link = Pipe(board)
        playing = wire.hear(link, [call()])
        next(playing)
        said: list[Record] = []
        end = time.monotonic() + 60
        while "listening" not in shown(said):
            assert time.monotonic() < end
            said += [e.message for e in link.poll(1) if isinstance(e, Received)]
    assert "wire" in [message.code for message in said if isinstance(message, Log)]


def test_an_end_in_the_middle_is_told(board: VirtualBoard) -> None:
    playing = wire.hear(Pipe(board), itertools.repeat(call()))
    next(playing)
    os.kill(board._process.pid, signal.SIGKILL)
    with pytest.raises(wire.WireError, match="unplugged"):
        list(playing)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "_PATIENCE_S", 0.3)
        host, port = silent.getsockname()
        with (
            Connection(f"socket://{host}:{port}") as connection,
            pytest.raises(wire.WireError, match="doesn't answer"),
        ):
            list(wire.hear(connection, [call()]))

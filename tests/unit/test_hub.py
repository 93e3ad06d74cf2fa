"""The hub: one board's link on a pseudo-terminal and on TCP, with pipes for a board."""

import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
import serial

from bluering.virtual.hub import Hub, LinkNameError, named

TIMEOUT_S = 5


class Board:
    """The device's ends of the two pipes."""

    def __init__(self, said: IO[bytes], told: IO[bytes]) -> None:
        self.said = said
        self.told = told

    def hears(self) -> bytes:
        ready, _, _ = select.select([self.told], [], [], TIMEOUT_S)
        assert ready, "nothing reached the board"
        return os.read(self.told.fileno(), 4096)


@pytest.fixture
def pipes() -> Iterator[tuple[Board, IO[bytes], IO[bytes]]]:
    from_device, said = os.pipe()
    told, to_device = os.pipe()
    with (
        open(from_device, "rb", buffering=0) as reading,
        open(said, "wb", buffering=0) as saying,
        open(told, "rb", buffering=0) as hearing,
        open(to_device, "wb", buffering=0) as writing,
    ):
        yield Board(saying, hearing), reading, writing


def test_a_serial_program_talks_to_the_board(pipes) -> None:
    board, reading, writing = pipes
    with Hub(reading, writing) as hub, serial.Serial(hub.path, timeout=TIMEOUT_S) as port:
        board.said.write(b"\x00all bytes \r\n\x03\x04\x11\x13\xff")
        assert port.read(18) == b"\x00all bytes \r\n\x03\x04\x11\x13\xff"
        port.write(b"\x00\x03\x11\x13\n\xff")
        assert board.hears() == b"\x00\x03\x11\x13\n\xff"


def test_what_nobody_listens_to_is_thrown_away(pipes) -> None:
    board, reading, writing = pipes
    with Hub(reading, writing, tcp=("127.0.0.1", 0)) as hub:
        # Far more than a pseudo-terminal's buffer: it must not block the board either.
        with serial.serial_for_url(hub.url, timeout=TIMEOUT_S) as witness:
            witness.write(b"hi")
            assert board.hears() == b"hi"  # the hub knows it now
            for _ in range(100):
                board.said.write(b"x" * 1000)
                assert len(witness.read(1000)) == 1000
        with serial.Serial(hub.path, timeout=TIMEOUT_S) as port:
            board.said.write(b"now")
            assert port.read(3) == b"now"


def test_the_port_can_be_closed_and_opened_again(pipes) -> None:
    board, reading, writing = pipes
    with Hub(reading, writing) as hub:
        for turn in (b"one", b"two", b"six"):
            with serial.Serial(hub.path, timeout=TIMEOUT_S) as port:
                board.said.write(turn)
                assert port.read(3) == turn


def test_several_clients_on_tcp_hear_the_same(pipes) -> None:
    board, reading, writing = pipes
    with Hub(reading, writing, tcp=("127.0.0.1", 0)) as hub:
        assert hub.address
        with (
            closing(socket.create_connection(hub.address, TIMEOUT_S)) as one,
            closing(socket.create_connection(hub.address, TIMEOUT_S)) as two,
        ):
            # A word to the board from each: then the hub has accepted both.
            for client in (one, two):
                client.sendall(b"hi")
                assert board.hears() == b"hi"
            board.said.write(b"hello")
            assert one.recv(5) == b"hello"
            assert two.recv(5) == b"hello"


def test_a_client_that_goes_is_forgotten(pipes) -> None:
    board, reading, writing = pipes
    with Hub(reading, writing, tcp=("127.0.0.1", 0)) as hub:
        assert hub.address
        gone = socket.create_connection(hub.address, TIMEOUT_S)
        gone.sendall(b"hi")
        assert board.hears() == b"hi"
        gone.close()
        with closing(socket.create_connection(hub.address, TIMEOUT_S)) as stays:
            stays.sendall(b"hi")
            assert board.hears() == b"hi"
            board.said.write(b"hello")
            assert stays.recv(5) == b"hello"


def test_a_client_that_goes_while_the_board_speaks_is_forgotten(pipes) -> None:
    board, reading, writing = pipes
    reset = struct.pack("ii", 1, 0)
    with Hub(reading, writing, tcp=("127.0.0.1", 0)) as hub:
        assert hub.address
        for _ in range(30):
            gone = socket.create_connection(hub.address, TIMEOUT_S)
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            gone.sendall(b"hi")
            assert board.hears() == b"hi"
            # While the hub still has this to say, the client resets its connection.
            board.said.write(b"x" * 9000)
            gone.close()
        with closing(socket.create_connection(hub.address, TIMEOUT_S)) as stays:
            stays.sendall(b"hi")
            assert board.hears() == b"hi"


def test_a_port_has_a_name_that_stays_while_it_is_there(pipes, tmp_path: Path) -> None:
    board, reading, writing = pipes
    name = tmp_path / "board"
    name.symlink_to("/dev/pts/of-a-board-that-was-killed")
    with (
        Hub(reading, writing) as hub,
        named(hub.path, name),
        serial.Serial(str(name), timeout=TIMEOUT_S) as port,
    ):
        board.said.write(b"now")
        assert port.read(3) == b"now"
    assert not name.is_symlink()


def test_a_name_that_another_took_is_left_to_it(tmp_path: Path) -> None:
    name = tmp_path / "board"
    with named("first", name), named("second", name):
        assert os.readlink(name) == "second"
    assert not name.is_symlink()
    with named("first", name):
        name.unlink()
        name.symlink_to("second")
    assert os.readlink(name) == "second"


def test_a_file_is_not_replaced_by_a_name(tmp_path: Path) -> None:
    name = tmp_path / "board"
    name.write_text("kept")
    with pytest.raises(LinkNameError, match="can't become a link"), named("first", name):
        pass
    assert name.read_text() == "kept"

"""The device that is tested: the virtual board, unless --port names another."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pytest_embedded_serial.serial import Serial

from bluering.link import Connection, ports
from bluering.models.packaged import packaged
from bluering.virtual.hub import Hub
from bluering.virtual.runner import VirtualBoard
from tests.watched import Watched

WORDS = ("alexa", "computer")
_QUIET = bytes(32000)


@dataclass(frozen=True)
class Bench:
    """Where the device is; ``board``: the virtual one, or None when it is another's."""

    port: str
    board: VirtualBoard | None


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The one device of this run."""
    selector = request.config.getoption("port")
    if selector:
        yield Bench(ports.resolve(selector), None)
        return
    with ExitStack() as opened:
        room = itertools.repeat(_QUIET)
        words = [packaged(name) for name in WORDS]
        board = opened.enter_context(VirtualBoard(words, room, pace="real"))
        hub = opened.enter_context(Hub(board.from_device, board.to_device))
        yield Bench(hub.path, board)


@pytest.fixture
def port(bench: Bench) -> str:
    """For pytest-embedded, which opens it with the services that it was told to use."""
    return bench.port


@pytest.fixture
def device(serial: Serial) -> Iterator[Watched]:
    """The device; pytest-embedded found it, and lets go of its port, since frames are no text."""
    assert serial.port
    serial.close()
    with Connection(serial.port) as connection:
        yield Watched(connection)


@pytest.fixture
def board(bench: Bench) -> VirtualBoard:
    """The hands on the device: its switch, its power, its flash."""
    if bench.board is None:
        pytest.skip("nobody is at this device to move its switch or cut its power")
    return bench.board

"""A virtual board that calls wake, in real time, and ``bluering listen`` at work on it."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from bluering import audio
from bluering.models.packaged import packaged
from bluering.vault import listening
from bluering.vault.notices import Notice
from bluering.vault.vault import Vault
from bluering.virtual.hub import Hub
from bluering.virtual.runner import VirtualBoard
from tests.virtual.test_trace import CALL

PATIENCE_S = 120

Act = Callable[[VirtualBoard, list[Notice]], object]
"""Asked all the time; may do something to the board; true when it is enough."""


def calls(pause_s: float) -> Iterator[bytes]:
    """The same call again and again, in a quiet room."""
    room = np.random.default_rng(1).normal(0, 5, int(pause_s * 16000)).astype("<i2").tobytes()
    for _ in itertools.count():
        yield room
        yield audio.read(CALL).tobytes()


def listen(
    vault: Vault, settings: Mapping[str, object], act: Act, pause_s: float = 4, **options
) -> list[Notice]:
    """Receive from a board with these settings until ``act`` says that it is enough."""
    notices: list[Notice] = []
    end = time.monotonic() + PATIENCE_S
    board = VirtualBoard([packaged("alexa")], calls(pause_s), pace="real", settings=settings)
    with board, Hub(board.from_device, board.to_device, ("127.0.0.1", 0)) as hub:
        listening.listen(
            vault,
            [hub.url],
            {board.identity.id: board.identity.key},
            lambda _, notice: notices.append(notice),
            keep_going=lambda: not act(board, notices) and time.monotonic() < end,
            **options,
        )
    return notices

"""Listen to what a virtual board says, in this process: nothing is lost on the way."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping

from bluering.link import Received
from bluering.link.reader import Reader
from bluering.link.records import Log, Record
from bluering.models.packaged import CompiledWord
from bluering.virtual.runner import VirtualBoard, VirtualBoardError
from ear.link.messages import SEVERITIES

_CHUNK = 65536


def messages(board: VirtualBoard) -> Iterator[Record]:
    """Everything that the board says until it ends.

    Raises VirtualBoardError when it failed, said that it can't go on, or said something that
    isn't a message: on this link nothing is lost, so that would be a fault of the firmware.
    """
    reader = Reader()
    while data := os.read(board.from_device.fileno(), _CHUNK):
        for event in reader.feed(data, time.monotonic()):
            if not isinstance(event, Received):
                raise VirtualBoardError(f"the virtual board's link is at fault: {event}")
            yield event.message
            if isinstance(event.message, Log) and SEVERITIES[event.message.severity] == "error":
                raise VirtualBoardError(f"the virtual board stopped: {event.message.text}")
    board.wait()


def hear(
    words: Iterable[CompiledWord],
    sound: Iterable[bytes],
    *,
    word_size: int = 64,
    settings: Mapping[str, object] | None = None,
) -> list[Record]:
    """Play ``sound`` (blocks of 16 kHz mono int16 bytes) to a roomy board, as fast as it goes.

    Returns all that it said; the position of a wake counts from the start of the sound.
    """
    with VirtualBoard(words, sound, word_size=word_size, settings=settings, roomy=True) as board:
        return list(messages(board))

"""The link of a virtual board in this process: its pipes, without a port in between."""

import os
import select
import time
from collections.abc import Sequence

from bluering.link.codec import pack
from bluering.link.connection import Disconnected, Event, LinkLostError
from bluering.link.reader import Reader
from bluering.link.records import Record
from bluering.virtual.runner import VirtualBoard
from ear.link.frames import encode

_CHUNK = 65536


class Pipe:
    """Like a ``Connection``, to a virtual board: events out, messages in, nothing lost."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board
        self._reader = Reader()
        self._sequence = 0
        self._ended = False

    def send(self, message: Record) -> None:
        """Send a message; raises LinkLostError when the board has ended."""
        frame = encode(message.declaration.id, self._sequence, pack(message))
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._board.to_device.write(frame)
        except (OSError, ValueError) as error:
            raise LinkLostError(f"the virtual board has ended: {error}") from error

    def poll(self, timeout: float) -> Sequence[Event]:
        """The next events: at once if there are any, none if there were none in time."""
        stream = self._board.from_device
        if self._ended or not select.select([stream], [], [], timeout)[0]:
            return []
        data = os.read(stream.fileno(), _CHUNK)
        if data:
            return list(self._reader.feed(data, time.monotonic()))
        self._ended = True
        return [Disconnected(time.monotonic(), "the virtual board has ended")]

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
_QUIET_S = 1.0  # a frame that stops in the middle for so long won't be completed


class Pipe:
    """Like a ``Connection``, to a virtual board: events out, messages in, nothing lost."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board
        self._reader = Reader()
        self._sequence = 0
        self._ended = False
        self._last_read = time.monotonic()

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
        if self._ended:
            return []
        ready = select.select([stream], [], [], timeout)[0]
        now = time.monotonic()
        if not ready:
            return list(self._reader.flush(now)) if now - self._last_read > _QUIET_S else []
        data = os.read(stream.fileno(), _CHUNK)
        if data:
            self._last_read = now
            return list(self._reader.feed(data, now))
        self._ended = True
        return [*self._reader.flush(now), Disconnected(now, "the virtual board has ended")]

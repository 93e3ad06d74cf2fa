"""A device that a test watches: all that it said so far."""

import time
from collections.abc import Callable

from bluering.link import Disconnected, Garbage, Lost, Received
from bluering.link.records import Log, Record, Ring
from bluering.link.wire import Link
from ear import ring

PATIENCE_S = 60


class Watched:
    """What came over a link since the last ``forget``; ``lost`` counts for ever."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.lost = 0
        self.gone = False
        self.forget()

    def forget(self) -> None:
        """From here on."""
        self.said: list[Record] = []
        self.text = ""

    def until(self, done: Callable[[], object]) -> None:
        """Listen to it until then."""
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, f"only this came: {self.said[-10:]} {self.text}"
            self._take(0.2)

    def listen(self, seconds: float) -> None:
        """Listen to it for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._take(0.1)

    def _take(self, timeout: float) -> None:
        for event in self.link.poll(timeout):
            match event:
                case Received(message=message):
                    self.said.append(message)
                case Garbage(data=data):
                    self.text += data.decode(errors="replace")
                case Lost(frames=frames):
                    self.lost += frames
                case Disconnected():
                    self.gone = True

    def all(self, kind: type[Record]) -> list:
        """The messages of a kind, oldest first."""
        return [message for message in self.said if isinstance(message, kind)]

    def states(self) -> list[str]:
        """What the ring showed, by name, oldest first."""
        return [ring.STATES[message.state] for message in self.all(Ring)]

    def logs(self, code: str) -> list[str]:
        """The texts of its logs with a code."""
        return [log.text for log in self.all(Log) if log.code == code]

"""A device made of a pseudo-terminal, which a test plugs in and out at a path that stays."""

import os
import select
import tty
from pathlib import Path
from typing import Any

from bluering.link.codec import pack
from bluering.link.reader import Reader, Received
from bluering.link.records import Hello, Record, Word
from ear.link import messages
from ear.link.frames import encode


def hello(**fields: Any) -> Hello:
    """A hello with these fields; the others as a device might have them."""
    every: dict[str, Any] = {
        name: "" if kind == "str" else 0 for name, kind in messages.HELLO.fields
    }
    every.update(protocol=messages.VERSION, sample_rate=16000, hop=160, leds=12)
    return Hello(**every | fields)


HELLO = hello(
    session=7, words=1, firmware="0.1.0", board="pretend", runtime="MicroPython 1.27.0 on a test"
)
ALEXA = Word(0, 214, 5, 3, bytes(range(32)), "alexa")


class PretendDevice:
    """Writes frames to whoever opened ``path``; ``plug`` it in first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ttyPretend"
        self._master = self._slave = -1
        self._sequence = 0
        self._reader = Reader()

    def plug(self) -> None:
        """Appear at the path, as a device that runs on."""
        # Its own end of the slave stays open: closing the last one would count as a hang-up.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Vanish from the path, and from whoever has it open."""
        self.path.unlink()
        os.close(self._slave)
        os.close(self._master)

    def frame(self, message: Record) -> bytes:
        """The next frame, for a test that spoils it before it is written."""
        encoded = encode(message.declaration.id, self._sequence, pack(message))
        self._sequence += 1
        return encoded

    def write(self, data: bytes) -> None:
        """Write raw bytes."""
        os.write(self._master, data)

    def say(self, *messages: Record) -> None:
        """Write messages."""
        for message in messages:
            self.write(self.frame(message))

    def heard(self, seconds: float = 5) -> list[Record]:
        """What the host has sent: at least one message, unless none comes in time."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        data = os.read(self._master, 4096) if ready else b""
        return [
            event.message for event in self._reader.feed(data, 0.0) if isinstance(event, Received)
        ]

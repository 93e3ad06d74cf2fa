"""From bytes to events: messages, losses, and what was neither. Pure: no port, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass

from bluering.link.codec import PayloadError, unpack
from bluering.link.records import Hello, Record
from ear.link.frames import FRAME, GARBAGE, PENDING, Decoder

_CAPACITY = 4096  # of text between frames, shown in one piece


@dataclass(frozen=True, slots=True)
class Received:
    """A message; ``at`` is the monotonic time, in seconds, at which its last byte was read."""

    at: float
    message: Record


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames are missing: they were dropped by the device, or spoilt or cut on the way."""

    at: float
    frames: int


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that belong to no frame: a REPL's text, noise, or half a frame."""

    at: float
    data: bytes

    @property
    def text(self) -> str | None:
        """The bytes as text, or None when they aren't any."""
        try:
            text = self.data.decode().strip()
        except UnicodeDecodeError:
            return None
        readable = all(character.isprintable() or character in "\r\n\t" for character in text)
        return text if text and readable else None


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A frame came unharmed, but this program doesn't know its message; ``reason`` says more."""

    at: float
    kind: int
    reason: str


ReaderEvent = Received | Lost | Garbage | Undecodable


class Reader:
    """Takes bytes as they come, in pieces of any size, and tells what they bring."""

    def __init__(self) -> None:
        self._decoder = Decoder(capacity=_CAPACITY)
        self._session: int | None = None

    def feed(self, data: bytes, at: float) -> Iterator[ReaderEvent]:
        """The events of ``data``, read at the time ``at``."""
        for byte in data:
            outcome = self._decoder.push(byte)
            if outcome != PENDING:
                yield from self._events(outcome, at)

    def flush(self, at: float) -> Iterator[ReaderEvent]:
        """Nothing came for a while: what waits is text, or a frame that won't be completed."""
        yield from self.feed(b"\0", at)

    def _events(self, outcome: int, at: float) -> Iterator[ReaderEvent]:
        decoder = self._decoder
        if outcome == GARBAGE:
            yield Garbage(at, bytes(decoder.body[: decoder.filled]))
            return
        assert outcome == FRAME
        kind = decoder.kind
        try:
            message = unpack(kind, bytes(decoder.payload[: decoder.length]))
        except PayloadError as error:
            event: ReaderEvent = Undecodable(at, kind, str(error))
        else:
            event = Received(at, message)
        restarted = self._restarted(event)
        if decoder.missed and not restarted:
            yield Lost(at, decoder.missed)
        yield event

    def _restarted(self, event: ReaderEvent) -> bool:
        """Whether this is the first message since the device started: it counts from 0 again."""
        if not (isinstance(event, Received) and isinstance(event.message, Hello)):
            return False
        before, self._session = self._session, event.message.session
        return self._session != before

"""Sound by wire: let a device hear a recording instead of its microphone, sample by sample.

The device grants hops before they may be sent and grants one more for each that it heard, so
that none is lost however slow the link is. A recording gives the same scores on every device.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from bluering.errors import BlueRingError
from bluering.link.connection import Disconnected, Event, LinkLostError, Reconnected
from bluering.link.reader import Garbage, Lost, Received, Undecodable
from bluering.link.records import (
    Hello,
    HelloRequest,
    Log,
    Record,
    Ring,
    Telemetry,
    WiredCredit,
    WiredHop,
    WiredStart,
    WiredStop,
)
from bluering.samples import Samples
from ear import ring

_PATIENCE_S = 10.0  # a device that does nothing for so long won't go on
_RETRY_S = 0.5  # a device that is just showing a wake opens the wire a moment later
_REFUSED_S = 4.0
_POLL_S = 0.1
_BENCH = "bench"
_LOG = "wire"  # the code of the device's logs about the wire
HEALTH_HOPS = 1000


class WireError(BlueRingError):
    """The device refused sound by wire, or the sound could not be played to its end."""


class Link(Protocol):
    """What the wire needs of a connection."""

    def send(self, message: Record) -> None: ...

    def poll(self, timeout: float) -> Sequence[Event]: ...


def hear(link: Link, blocks: Iterable[Samples]) -> Iterator[Record]:
    """Let the device hear ``blocks`` of 16 kHz mono int16; its messages as they come.

    It listens as if just switched on, and to its microphone again afterwards. Positions count
    from the first sample, in hops. A last hop that isn't whole is left out. Raises WireError,
    also when a message was lost on the way: what is heard is heard whole, or not at all.
    """
    wire = _Wire(link)
    wire.open()
    try:
        for hop in hops(blocks, wire.hop):
            yield from wire.send(hop)
        yield from wire.drain()
    except BaseException:
        wire.abandon()
        raise
    yield from wire.close()


def hops(blocks: Iterable[Samples], length: int) -> Iterator[bytes]:
    """Blocks of any length as hops of ``length`` samples, without a last one that isn't whole."""
    size = 2 * length
    rest = b""
    for block in blocks:
        data = rest + block.astype("<i2", copy=False).tobytes()
        whole = len(data) // size * size
        yield from (data[at : at + size] for at in range(0, whole, size))
        rest = data[whole:]


class _Wire:
    def __init__(self, link: Link) -> None:
        self.hop = 0  # its length in samples
        self._link = link
        self._granted = 0  # hops in all, at the beginning
        self._credit = 0  # hops that may be sent now
        self._begin = 0
        self._session: int | None = None
        self._state = ""  # of the ring, by name
        self._closing = False

    def open(self) -> None:
        """Ask until the ring says "bench" and the first hops are granted."""
        self._settle()
        end = time.monotonic() + _REFUSED_S
        while not self._ask():
            if time.monotonic() > end:
                raise WireError(self._refusal())
            time.sleep(_RETRY_S)

    def _settle(self) -> None:
        """End what another program may have left behind, up to the messages about it."""
        self._post(WiredStop())
        self._post(HelloRequest())
        for message in self._opening():
            if isinstance(message, Hello):
                self._session, self.hop = message.session, message.hop
            elif isinstance(message, Ring) and self.hop and _name(message.state) != _BENCH:
                return

    def _ask(self) -> bool:
        """Whether the wire is open; if not, it was refused."""
        self._post(Telemetry(1, HEALTH_HOPS))
        self._post(WiredStart())
        for message in self._opening():
            match message:
                case Ring(state=state, position=position):
                    self._state = _name(state)
                    self._begin = position
                case WiredCredit(hops=granted) if self._state == _BENCH:
                    self._granted = self._credit = granted
                    return True
                case Log(code=code) if code == _LOG:
                    return False
        raise AssertionError("messages come, or it takes too long")

    def _opening(self) -> Iterator[Record]:
        """The messages that come, whatever else does. Raises WireError when it takes too long."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            for event in self._link.poll(_POLL_S):
                if isinstance(event, Disconnected):
                    raise WireError(_explain(event))
                if isinstance(event, Received):
                    yield event.message
        raise WireError(
            "the device doesn't answer: does it run the application, and is it the right port? "
            "'bluering doctor' tells"
        )

    def _refusal(self) -> str:
        if self._state == "muted":
            return "the device is muted, so it hears nothing by wire either: lift its mute switch"
        return f"the device takes no sound by wire now: its ring shows {self._state!r}"

    def send(self, hop: bytes) -> Iterator[Record]:
        """Send a hop as soon as it is granted; what the device says meanwhile."""
        yield from self._until(lambda: self._credit > 0)
        self._credit -= 1
        self._post(WiredHop(hop))
        yield from self._take(0)

    def drain(self) -> Iterator[Record]:
        """Wait until all was heard."""
        yield from self._until(lambda: self._credit == self._granted)

    def close(self) -> Iterator[Record]:
        """Close the wire; the last messages."""
        self._closing = True
        self._post(WiredStop())
        # A device tells of its ring when it listens to its microphone again.
        yield from self._until(lambda: self._state != _BENCH)

    def abandon(self) -> None:
        """Close the wire whatever came of it."""
        with suppress(WireError):
            self._post(WiredStop())

    def _until(self, done: Callable[[], bool]) -> Iterator[Record]:
        """Take messages until it is ``done``; the device grants hops as long as it goes on."""
        granted, at = self._credit, time.monotonic()
        while not done():
            yield from self._take(_POLL_S)
            if self._credit != granted:
                granted, at = self._credit, time.monotonic()
            elif time.monotonic() - at > _PATIENCE_S:
                raise WireError(self._stalled())

    def _stalled(self) -> str:
        missing = self._granted - self._credit
        return (
            f"the device stopped: {missing} hops were sent that it never heard, or said so. "
            "Try a shorter cable, or look at it with 'bluering monitor'"
        )

    def _take(self, timeout: float) -> Iterator[Record]:
        for event in self._link.poll(timeout):
            if isinstance(event, Received):
                yield from self._message(event.message)
            else:
                raise WireError(_explain(event))

    def _message(self, message: Record) -> Iterator[Record]:
        match message:
            case WiredCredit(hops=granted):
                self._credit += granted
                return
            case Ring(state=state):
                self._state = _name(state)
                if self._state != _BENCH and not self._closing:
                    raise WireError(f"the device left the bench: its ring shows {self._state!r}")
            case Hello(session=session):
                if session != self._session:
                    raise WireError("the device restarted in the middle of the recording")
            case Log(code=code, text=text) if code == _LOG:
                raise WireError(f"the device refused what was sent by wire: {text}")
        yield self._placed(message)

    def _placed(self, message: Record) -> Record:
        position = getattr(message, "position", None)
        if position is None:
            return message
        changed: Any = replace(message, position=position - self._begin)  # type: ignore[type-var]
        return changed

    def _post(self, message: Record) -> None:
        try:
            self._link.send(message)
        except LinkLostError as error:
            raise WireError(f"the device was unplugged: {error}") from error


def _explain(event: Event) -> str:
    match event:
        case Lost(frames=frames):
            return f"{frames} messages were lost on the way, and scores with them: try again"
        case Disconnected(reason=reason):
            return f"the device was unplugged in the middle of the recording: {reason}"
        case Reconnected():
            return "the device was unplugged and came back: play the recording again"
        case Undecodable(reason=reason):
            return f"a message of the device can't be read: {reason}"
        case Garbage(data=data, text=text):
            return f"{len(data)} bytes between messages are none: {text or data[:20]!r}"
    raise AssertionError(event)


def _name(state: int) -> str:
    return ring.STATES[state] if state < len(ring.STATES) else f"state {state}"

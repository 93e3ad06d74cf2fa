"""A connection to a device that outlives its cable."""

import select
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import serial

from bluering.errors import BlueRingError
from bluering.link import codec, ports
from bluering.link.reader import Reader, ReaderEvent
from bluering.link.records import HelloRequest, Record
from ear.link.frames import encode

_CHUNK = 4096
_QUIET_S = 1.0  # a frame that stops in the middle for so long won't be completed
_UNSELECTABLE_WAIT_S = 0.01
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 2.0


class LinkLostError(BlueRingError):
    """Something was to be sent while the device was unplugged."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The port went away; it is tried again from now on."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The port is back, maybe under another name."""

    at: float
    port: str


Event = ReaderEvent | Disconnected | Reconnected


class Connection:
    """The link to one device: events out, messages in; a context manager without threads.

    One thread may poll it while another sends.

    The selector (see ``ports.resolve``) is resolved anew at each attempt to open it. Opening
    for the first time raises ``ports.PortError``; later the connection keeps trying.
    A pseudo-terminal that has ended isn't opened again: its number may be another's.
    """

    def __init__(self, selector: str) -> None:
        self._selector = selector
        self._reader = Reader()
        self._sequence = 0
        self._last_read = time.monotonic()
        self._retry_wait = _FIRST_RETRY_S
        self._retry_at = 0.0
        # One thread may send while another reads: a port isn't closed in the middle of a write.
        self._closing = threading.Lock()
        self._port: serial.SerialBase | None = ports.open_port(selector)
        self._ended = ports.pseudo_terminal(selector)  # once it disconnects
        self._ask_for_hello()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> str | None:
        """The open port's path or URL; None while it is gone."""
        return self._port.port if self._port else None

    def close(self) -> None:
        """Give the port back."""
        with self._closing:
            if self._port:
                self._port.close()
                self._port = None

    def send(self, message: Record) -> None:
        """Send a message; raises LinkLostError when the device is unplugged."""
        frame = encode(message.declaration.id, self._sequence, codec.pack(message))
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            with self._closing:
                if self._port is None:
                    raise OSError("it is not plugged in")
                self._port.write(frame)
        except OSError as error:
            raise LinkLostError(
                f"could not send {message.declaration.name} to {self._selector}: {error}"
            ) from error

    def events(self, duration: float | None = None) -> Iterator[Event]:
        """All events as they come, for ``duration`` seconds or for ever."""
        end = None if duration is None else time.monotonic() + duration
        while end is None or time.monotonic() < end:
            left = _QUIET_S if end is None else end - time.monotonic()
            yield from self.poll(max(0.0, min(_QUIET_S, left)))

    def poll(self, timeout: float) -> Sequence[Event]:
        """The next events: at once if there are any, none if there were none in time."""
        if self._port is None:
            return self._reopen(timeout)
        try:
            data = self._read(self._port, timeout)
        except (OSError, ValueError) as error:
            return self._disconnect(error)
        now = time.monotonic()
        if data:
            self._last_read = now
            return list(self._reader.feed(data, now))
        if now - self._last_read >= _QUIET_S:
            return list(self._reader.flush(now))
        return []

    def _read(self, port: serial.SerialBase, timeout: float) -> bytes:
        if not ports.has_descriptor(port):
            # Reading doesn't wait, so the wait is here.
            data = port.read(_CHUNK)
            if not data:
                time.sleep(min(timeout, _UNSELECTABLE_WAIT_S))
            return data
        ready, _, _ = select.select([port], [], [], timeout)
        return port.read(_CHUNK) if ready else b""

    def _disconnect(self, error: Exception) -> Sequence[Event]:
        now = time.monotonic()
        self.close()
        self._retry_wait = _FIRST_RETRY_S
        self._retry_at = now + self._retry_wait
        return [*self._reader.flush(now), Disconnected(now, str(error))]

    def _reopen(self, timeout: float) -> Sequence[Event]:
        now = time.monotonic()
        if now < self._retry_at:
            time.sleep(min(timeout, self._retry_at - now))
            return []
        behind = ports.pseudo_terminal(self._selector)
        try:
            if behind and behind == self._ended:
                raise ports.PortError(f"{self._selector} has ended, and may be another's by now")
            port = self._port = ports.open_port(self._selector)
        except ports.PortError:
            self._retry_wait = min(2 * self._retry_wait, _LAST_RETRY_S)
            self._retry_at = time.monotonic() + self._retry_wait
            return []
        self._ended = behind
        self._ask_for_hello()
        now = self._last_read = time.monotonic()
        return [Reconnected(now, port.port or self._selector)]

    def _ask_for_hello(self) -> None:
        # If the port is gone already, reading will find out and say so.
        with suppress(LinkLostError):
            self.send(HelloRequest())

"""Listens to one or several boards at once and keeps what they record.

A thread reads each port; everything else, the vault above all, happens in one place.
"""

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event as Flag
from threading import Thread

from sqlalchemy.exc import DBAPIError

from bluering.errors import BlueRingError
from bluering.link import (
    Connection,
    Disconnected,
    Event,
    LinkLostError,
    Received,
    Reconnected,
    control,
)
from bluering.link.records import Hello, PreRoll
from bluering.vault import upkeep
from bluering.vault.handover import Give, hand_over
from bluering.vault.notices import Notice, Stored
from bluering.vault.receiver import Judge, Receiver
from bluering.vault.trust import Registry
from bluering.vault.vault import Vault

_POLL_S = 0.2
_PURGE_EVERY_S = 600.0

Show = Callable[[str, Notice], None]
"""Told of every notice, with the port that it came from."""


_Happening = Event | float | Exception
"""An event, or the time at which there was none, or what ended the reading."""


class _Station:
    """One port: its connection, its thread, its receiver."""

    def __init__(self, connection: Connection, name: str, receiver: Receiver) -> None:
        self.connection = connection
        self.name = name
        self.receiver = receiver

    def read(self, into: "queue.Queue[tuple[_Station, _Happening]]", stop: Flag) -> None:
        """Pass events on until ``stop`` is set, and the time when there are none; a failure too."""
        try:
            while not stop.is_set():
                events = self.connection.poll(_POLL_S)
                for event in events or [time.monotonic()]:
                    into.put((self, event))
        except Exception as error:
            into.put((self, error))


def listen(
    vault: Vault,
    ports: Sequence[str],
    identities: Mapping[bytes, bytes],
    show: Show,
    gives: Sequence[Give] = (),
    pre_roll: bool = False,
    judge: Judge | None = None,
    keep_going: Callable[[], bool] = lambda: True,
) -> None:
    """Receive until ``keep_going`` says no (asked several times a second), or Ctrl-C.

    Raises VaultError when another receiver uses the vault, PortError when a port can't be
    opened at first; later a port that goes away is waited for.
    """
    with upkeep.locked(vault), ThreadPoolExecutor(2) as workers:
        upkeep.recover(vault)
        registry = Registry()
        stations: list[_Station] = []
        stop = Flag()
        try:
            for port in ports:
                receiver = Receiver(vault, identities, registry, port, judge)
                stations.append(_Station(Connection(port), port, receiver))
            _Loop(vault, stations, show, gives, pre_roll, workers).run(keep_going, stop)
        finally:
            stop.set()
            for station in stations:
                station.connection.close()


class _Loop:
    """What happens to the events of all stations, one after the other."""

    def __init__(
        self,
        vault: Vault,
        stations: Sequence[_Station],
        show: Show,
        gives: Sequence[Give],
        pre_roll: bool,
        workers: ThreadPoolExecutor,
    ) -> None:
        self._vault = vault
        self._stations = stations
        self._show = show
        self._gives = gives
        self._pre_roll = pre_roll
        self._workers = workers
        self._events: queue.Queue[tuple[_Station, _Happening]] = queue.Queue(1000)
        self._purge_at = 0.0

    def run(self, keep_going: Callable[[], bool], stop: Flag) -> None:
        """Start the threads and work until there is no more to do."""
        threads = [
            Thread(target=station.read, args=(self._events, stop), daemon=True)
            for station in self._stations
        ]
        for thread in threads:
            thread.start()
        while keep_going():
            self._purge()
            with suppress(queue.Empty):
                self._take(*self._events.get(timeout=_POLL_S))
        stop.set()
        while any(thread.is_alive() for thread in threads):
            with suppress(queue.Empty):
                self._events.get(timeout=_POLL_S)

    def _take(self, station: _Station, event: _Happening) -> None:
        if isinstance(event, Exception):
            raise event
        if isinstance(event, int | float):
            self._tick(station, event)
            return
        if isinstance(event, Disconnected):
            self._show(station.name, Notice(f"unplugged ({event.reason}); waiting for it"))
        elif isinstance(event, Reconnected):
            self._show(station.name, Notice(f"back on {event.port}"))
        elif isinstance(event, Received) and isinstance(event.message, Hello):
            self._greet(station)
        for notice in station.receiver.handle(event):
            self._act(station, notice)
        self._tick(station, event.at)

    def _tick(self, station: _Station, now: float) -> None:
        """The time as the port saw it: what waits here, because the disk is slow, isn't late."""
        for notice in station.receiver.tick(now):
            self._act(station, notice)

    def _greet(self, station: _Station) -> None:
        """Tell a device that started, or was plugged in, the time and this side's consent."""
        with suppress(LinkLostError):
            control.tell_time(station.connection)
        if self._pre_roll:
            self._send(station, PreRoll(allowed=1))

    def _act(self, station: _Station, notice: Notice) -> None:
        if notice.answer is not None:
            self._send(station, notice.answer)
        self._show(station.name, notice)
        if isinstance(notice, Stored) and notice.has_sound:
            for give in self._gives:
                if self._put_on_record(station.name, notice):
                    self._workers.submit(self._hand_over, station.name, notice, give)

    def _put_on_record(self, port: str, stored: Stored) -> bool:
        """What can't be put on record isn't handed on; it stays stored."""
        try:
            self._vault.note("hand over", stored.id, "command or web hook")
        except (OSError, DBAPIError) as error:
            said = f"the recording could not be handed on, the log can't be written: {error}"
            self._show(port, Notice(said, failed=True))
            return False
        return True

    def _send(self, station: _Station, message) -> None:
        # A device that is gone learns nothing; what is stored stays stored.
        with suppress(LinkLostError):
            station.connection.send(message)

    def _hand_over(self, port: str, stored: Stored, give: Give) -> None:
        try:
            problem = hand_over(stored, give)
        except (OSError, BlueRingError) as error:
            problem = f"the recording could not be handed on: {error}"
        if problem:
            self._show(port, Notice(problem, failed=True))

    def _purge(self) -> None:
        """Retention runs by itself."""
        if time.monotonic() < self._purge_at:
            return
        self._purge_at = time.monotonic() + _PURGE_EVERY_S
        count = self._vault.purge()
        if count:
            self._show("vault", Notice(f"{count} recordings reached their retention: deleted"))

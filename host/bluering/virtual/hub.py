"""Put a virtual board's link on a pseudo-terminal and on TCP ports, for any serial program.

As on a USB cable, what the board says while nobody has the port open is thrown away; a
reader who is slow holds the board back until its own outbox overflows.
"""

import os
import select
import selectors
import socket
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bluering.errors import BlueRingError

_CHUNK = 4096
_PTY_RECHECK_S = 0.02  # a hung-up pseudo-terminal can't be waited on, only looked at again


class LinkNameError(BlueRingError):
    """A pseudo-terminal can't have the name that was wanted."""


@contextmanager
def named(path: str, name: Path) -> Iterator[None]:
    """Give a pseudo-terminal a name that stays: a symbolic link, removed at the end.

    A link that is there, of a board that was killed, is replaced. Raises LinkNameError.
    """
    try:
        if name.is_symlink():
            name.unlink()
        name.symlink_to(path)
    except OSError as error:
        raise LinkNameError(
            f"{name} can't become a link to {path}: {error.strerror}",
            "name a path that is free, in a folder that is there",
        ) from error
    try:
        yield
    finally:
        # Another board may have taken the name since.
        with suppress(OSError):
            if os.readlink(name) == path:
                name.unlink()


class Hub:
    """Passes bytes between one board and everybody who opened its link; a context manager.

    ``tcp`` is (host, port) to listen on, port 0 for any free one; ``path`` is the
    pseudo-terminal, ``address`` the bound TCP address.
    """

    def __init__(
        self, from_device: IO[bytes], to_device: IO[bytes], tcp: tuple[str, int] | None = None
    ) -> None:
        self._from_device = from_device
        self._to_device = to_device
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        # Closed at once: the master then sees when somebody has it open.
        os.close(slave)
        os.set_blocking(self._master, False)
        self._clients: list[socket.socket] = []
        self._server = socket.create_server(tcp) if tcp else None
        self.address: tuple[str, int] | None = None
        if self._server:
            self.address = self._server.getsockname()[:2]
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="link hub", daemon=True)

    def __enter__(self) -> "Hub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._wake_write)
        self._thread.join(timeout=5)
        for client in self._clients:
            client.close()
        if self._server:
            self._server.close()
        os.close(self._master)
        os.close(self._wake_read)

    @property
    def url(self) -> str:
        """The TCP address as a pyserial URL."""
        assert self.address is not None
        return "socket://{}:{}".format(*self.address)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ, self._stop)
            selector.register(self._from_device, selectors.EVENT_READ, self._from_board)
            if self._server:
                selector.register(self._server, selectors.EVENT_READ, self._accept)
            self._selector = selector
            self._running = True
            while self._running:
                for key, _ in selector.select(_PTY_RECHECK_S):
                    key.data(key.fileobj)
                if self._pty_open():
                    self._from_pty()

    def _stop(self, _: object) -> None:
        self._running = False

    def _pty_events(self, wanted: int) -> int:
        poll = select.poll()
        poll.register(self._master, wanted)
        return next((events for _, events in poll.poll(0)), 0)

    def _pty_open(self) -> bool:
        return not self._pty_events(0) & select.POLLHUP

    def _from_pty(self) -> None:
        if self._pty_events(select.POLLIN) & select.POLLIN:
            self._to_board(os.read(self._master, _CHUNK))

    def _accept(self, server: socket.socket) -> None:
        client, _ = server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(1)
        self._clients.append(client)
        self._selector.register(client, selectors.EVENT_READ, self._from_client)

    def _from_client(self, client: socket.socket) -> None:
        if client not in self._clients:
            return  # it was found gone when the board spoke, just before
        try:
            data = client.recv(_CHUNK)
        except OSError:
            data = b""
        if data:
            self._to_board(data)
        else:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        self._clients.remove(client)
        client.close()

    def _to_board(self, data: bytes) -> None:
        with suppress(BrokenPipeError):  # the board has ended; its last words are still read
            self._to_device.write(data)

    def _from_board(self, stream: IO[bytes]) -> None:
        data = os.read(stream.fileno(), _CHUNK)
        if not data:
            self._selector.unregister(stream)
            return
        for client in list(self._clients):
            try:
                client.sendall(data)
            except OSError:
                self._drop(client)
        self._to_pty(data)

    def _to_pty(self, data: bytes) -> None:
        while data and self._running and self._pty_open():
            if self._pty_events(select.POLLOUT) & select.POLLOUT:
                data = data[os.write(self._master, data) :]
            else:
                self._wait_for_pty()

    def _wait_for_pty(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLOUT)
        poll.register(self._wake_read, select.POLLIN)
        if any(fd == self._wake_read for fd, _ in poll.poll(int(_PTY_RECHECK_S * 1000))):
            self._running = False

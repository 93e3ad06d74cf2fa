"""A board on a TCP port: sends recordings, one after the other, and notes what is acknowledged."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

from bluering.link.reader import Reader, Received
from bluering.link.records import HelloRequest, Record, RecordingAck
from bluering.vault import listening
from bluering.vault.vault import Vault
from tests.unit import sound_world, vault_world


def receive_for_ever(path: str, url: str) -> None:
    """A receiver, for a process of its own."""
    vault = Vault.open(Path(path), lambda: vault_world.PASSPHRASE)
    listening.listen(vault, [url], {sound_world.DEVICE: sound_world.KEY}, lambda *_: None)


class BoardServer:
    """Serves one host at a time, and the next one when that is gone.

    make: the messages of the recording with a number; pause: seconds between frames.
    """

    def __init__(
        self, make: Callable[[int], list[Record]] = sound_world.recording, pause: float = 0.0
    ) -> None:
        self.acknowledged: set[int] = set()
        self.refused: set[int] = set()
        self.received: list[Record] = []
        self._make = make
        self._pause = pause
        self._number = 0
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        """How a connection reaches it."""
        return f"socket://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def begun(self) -> int:
        """Recordings begun so far."""
        return self._number

    @property
    def serving(self) -> bool:
        """Whether there is still something to wait for."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the board's day."""
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                host, _ = self._socket.accept()
            except TimeoutError:
                continue
            with host:
                host.setblocking(False)
                self._speak(host)

    def _speak(self, host: socket.socket) -> None:
        reader = Reader()
        sequence = 0
        try:
            # What came before it asked, a host throws away when it opens its port.
            asked = self.received.count(HelloRequest())
            while self.received.count(HelloRequest()) == asked and not self._stop.is_set():
                self._hear(host, reader)
                self._stop.wait(0.002)
            while not self._stop.is_set():
                self._number += 1
                messages = [sound_world.hello(), *self._make(self._number)]
                for frame in sound_world.to_frames(messages, sequence):
                    self._send(host, frame)
                    self._hear(host, reader)
                    self._stop.wait(self._pause)
                sequence += len(messages)
        except OSError:
            return

    def _send(self, host: socket.socket, frame: bytes) -> None:
        while frame and not self._stop.is_set():
            try:
                frame = frame[host.send(frame) :]
            except BlockingIOError:
                self._stop.wait(0.005)

    def _hear(self, host: socket.socket, reader: Reader) -> None:
        try:
            data = host.recv(4096)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionResetError
        for event in reader.feed(data, 0.0):
            if not isinstance(event, Received):
                continue
            self.received.append(event.message)
            if isinstance(event.message, RecordingAck):
                numbers = self.acknowledged if event.message.stored else self.refused
                numbers.add(event.message.number)

"""A link between a virtual board and the receiver on which everything goes wrong now and then."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from bluering.link.codec import pack
from bluering.link.records import (
    FalseWake,
    Record,
    RecordingCancel,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
    SettingChange,
)
from bluering.virtual.runner import VirtualBoard
from ear.link import frames
from tests.virtual.trace import open_frame

MUTE, BUTTON = 7, 0  # pins of the virtual board
_CHUNK = 65536
_SOUND = (RecordingStart, RecordingChunk, RecordingEnd, FalseWake)
_SOUND_KINDS = {kind.declaration.id for kind in _SOUND}
_CLIENT_S = 60.0

# Of so many frames of a recording, how many meet which fault.
_FRAMES = 2000
FAULTS = {
    "drop": 6,
    "lose a stretch": 1,
    "duplicate": 6,
    "reorder": 6,
    "flip": 6,
    "cut": 4,
    "unplug": 1,
    "stall": 1,
    "forge": 6,
    "replay": 3,
}
# Of so many frames of any kind, after how many somebody does something to the device.
DEEDS = {"mute": 1, "button": 1, "cancel": 1, "forbid": 1}


class FaultyLink:
    """Passes a board's bytes to one host after the other, over TCP; a context manager.

    ``stream`` is all that left the board, unharmed; ``delivered`` the recordings' messages that
    reached the host whole; ``counts`` what was done to the others. ``done`` once the board has
    ended and all that it said is with the host. ``begun`` gets the recordings' numbers.
    """

    def __init__(self, board: VirtualBoard, seed: int, begun: set[int], stall_s: float) -> None:
        self.stream = bytearray()
        self.delivered: list[Record] = []
        self.counts: Counter[str] = Counter()
        self.begun = begun
        self.hangups = 0
        self.done = False
        self._board = board
        self._random = random.Random(seed)
        self._stall_s = stall_s
        self._held: bytes | None = None
        self._losing = 0
        self._sent: list[bytes] = []
        self._release: tuple[int, int] | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(_CLIENT_S)
        self._host: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="faulty link")
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """How a connection reaches it."""
        return f"socket://127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> "FaultyLink":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(_CLIENT_S)
        self._server.close()
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        try:
            self._answer()
            for piece in self._pieces():
                self._pass_on(piece)
            self._hang_up()
        except BaseException as error:
            self._failure = error
        self.done = True

    def _pieces(self) -> Iterator[bytes]:
        """The board's frames, one by one, zeros at both ends."""
        rest = b""
        while data := self._board.from_device.read(_CHUNK):
            self.stream += data
            *whole, rest = (rest + data).split(b"\0")
            yield from (b"\0" + body + b"\0" for body in whole if body)
        if rest:
            yield b"\0" + rest

    def _pass_on(self, piece: bytes) -> None:
        self._do_something()
        kind = piece[2] if len(piece) > 3 and piece[1] > 1 else 0
        if kind not in _SOUND_KINDS:
            self._send(piece)
            return
        self._sent.append(piece)
        message = open_frame(piece.strip(b"\0"))
        if isinstance(message, RecordingStart):
            self.begun.add(message.number)
        fault = self._draw(FAULTS)
        if self._losing:
            self._losing -= 1
            fault = "drop"
        if fault:
            self.counts[fault] += 1
            getattr(self, "_" + fault.replace(" ", "_"))(piece)
        else:
            self._deliver(piece, message)
        if fault != "reorder" and self._held:
            held, self._held = self._held, None
            self._deliver(held, open_frame(held.strip(b"\0")))

    def _deliver(self, piece: bytes, message: Record | None) -> None:
        if self._send(piece) and message is not None:
            self.delivered.append(message)

    def _draw(self, rates: dict[str, int]) -> str | None:
        dice = self._random.randrange(_FRAMES)
        for name, rate in rates.items():
            dice -= rate
            if dice < 0:
                return name
        return None

    # The faults.

    def _drop(self, piece: bytes) -> None:
        del piece

    def _lose_a_stretch(self, piece: bytes) -> None:
        del piece
        self._losing = self._random.randrange(1, 30)

    def _duplicate(self, piece: bytes) -> None:
        message = open_frame(piece.strip(b"\0"))
        self._deliver(piece, message)
        self._deliver(piece, message)

    def _reorder(self, piece: bytes) -> None:
        """It comes after the one that follows it."""
        if self._held:
            self._deliver(self._held, open_frame(self._held.strip(b"\0")))
        self._held = piece

    def _flip(self, piece: bytes) -> None:
        spoilt = bytearray(piece)
        spoilt[self._random.randrange(len(piece))] ^= 1 << self._random.randrange(8)
        self._send(bytes(spoilt))

    def _cut(self, piece: bytes) -> None:
        self._send(piece[: self._random.randrange(1, len(piece))])

    def _unplug(self, piece: bytes) -> None:
        """In the middle of a frame; what is said until the host is back is lost."""
        self._send(piece[: len(piece) // 2])
        self._hang_up()
        self._losing = self._random.randrange(10)
        self._answer()

    def _stall(self, piece: bytes) -> None:
        time.sleep(self._stall_s)
        self._deliver(piece, open_frame(piece.strip(b"\0")))

    def _forge(self, piece: bytes) -> None:
        """A bit of the message is flipped, and the CRC is right."""
        body = piece.strip(b"\0")
        message = bytearray(len(body) + frames.CRC)
        size = frames.unseal(body, len(body), message)
        if size < frames.HEADER:
            return
        payload = bytearray(message[frames.HEADER : size])
        payload[self._random.randrange(len(payload))] ^= 1 << self._random.randrange(8)
        sequence = message[1] | message[2] << 8
        self._send(frames.encode(message[0], sequence, bytes(payload)))

    def _replay(self, piece: bytes) -> None:
        """A stretch of what was said before, once more; then what is said now."""
        first = self._random.randrange(len(self._sent))
        for old in self._sent[first : first + self._random.randrange(1, 40)]:
            self._send(old)
        self._deliver(piece, open_frame(piece.strip(b"\0")))

    # What is done to the device meanwhile.

    def _do_something(self) -> None:
        if self._release:
            pin, left = self._release
            self._release = (pin, left - 1)
            if left == 0:
                self._release = None
                if pin < 0:
                    self._tell(SettingChange("record", "true"))
                else:
                    self._switch(pin, 1)
            return
        deed = self._draw(DEEDS)
        if deed is None:
            return
        self.counts[deed] += 1
        if deed == "cancel":
            self._tell(RecordingCancel(max(self.begun, default=0)))
        elif deed == "forbid":
            self._tell(SettingChange("record", "false"))
            self._release = (-1, 100)
        else:
            pin = MUTE if deed == "mute" else BUTTON
            self._switch(pin, 0)
            self._release = (pin, 30)

    def _switch(self, pin: int, level: int) -> None:
        # A board that has heard its scene to the end is gone before all that it sent has arrived.
        with suppress(BrokenPipeError):
            self._board.switch(pin, level)

    def _tell(self, message: Record) -> None:
        self._to_board(frames.encode(message.declaration.id, 0, pack(message)))

    def _to_board(self, data: bytes) -> None:
        with suppress(OSError, ValueError):  # it has ended
            self._board.to_device.write(data)

    # The host's side.

    def _answer(self) -> None:
        """Wait for a host, and pass on what it says.

        What came before it first spoke it throws away: that is how it opens a port.
        """
        host, _ = self._server.accept()
        host.settimeout(_CLIENT_S)
        self._to_board(host.recv(4096))
        host.settimeout(None)
        threading.Thread(target=self._hear, args=(host,), daemon=True).start()
        self._host = host

    def _hear(self, host: socket.socket) -> None:
        """Until it hangs up: closed with something unread, a socket takes back what it sent."""
        with host, suppress(OSError):
            while data := host.recv(4096):
                self._to_board(data)

    def _hang_up(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            self.hangups += 1
            with suppress(OSError):
                host.shutdown(socket.SHUT_WR)

    def _send(self, data: bytes) -> bool:
        if self._host is None:
            return False
        self._host.sendall(data)
        return True

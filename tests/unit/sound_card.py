"""A loudspeaker and a board in one room, in a time of their own."""

from types import SimpleNamespace

import numpy as np

from bluering.link.reader import ReaderEvent, Received
from bluering.link.records import Hello, HelloRequest, Record, Scores, Word
from bluering.models.frontend import FrontEnd
from bluering.models.reference import Reference
from bluering.sound_files import HOP, RATE
from bluering.validate.engines import ModelSpec
from tests.unit.pretend_device import hello

LATENCY = 0.04  # seconds from writing to sounding
FLIGHT = 0.003  # seconds through the air
_BOARD_STARTED = -1.3337  # seconds before the loudspeaker's clock began


class PortAudioError(Exception):
    """As sounddevice's."""


class Room:
    """What sounds when; ``now`` goes on as sound is written and as the link is waited for."""

    def __init__(self) -> None:
        self.now = 0.0
        self.air = np.zeros(0, np.int16)  # from the clock's beginning on
        self.streams: list[dict[str, object]] = []
        self.sounddevice = SimpleNamespace(
            OutputStream=lambda **options: _Stream(self, options), PortAudioError=PortAudioError
        )

    def sound(self, start: float, samples: np.ndarray) -> None:
        first = round(start * RATE)
        self.air = np.pad(self.air, (0, max(0, first + len(samples) - len(self.air))))
        self.air[first : first + len(samples)] = samples

    def at(self, start: int, length: int) -> np.ndarray:
        """Samples from the clock's beginning on; silence where nothing sounds."""
        wanted = np.arange(start, start + length)
        there = (wanted >= 0) & (wanted < len(self.air))
        out = np.zeros(length, np.int16)
        out[there] = self.air[wanted[there]]
        return out


class _Stream:
    latency = LATENCY

    def __init__(self, room: Room, options: dict[str, object]) -> None:
        room.streams.append(options)
        if options["device"] == "broken":
            raise PortAudioError("no such device")
        self._room = room
        self._next = 0.0

    def __enter__(self) -> "_Stream":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def time(self) -> float:
        return self._room.now

    def write(self, samples: np.ndarray) -> None:
        start = max(self._next, self._room.now + LATENCY)
        self._room.sound(start, samples[:, 0])
        self._next = start + len(samples) / RATE
        self._room.now += len(samples) / RATE


class Board:
    """A link to a board in the room that tells every output, each a little later or much."""

    def __init__(self, room: Room, models: tuple[ModelSpec, ...]) -> None:
        self.muted = False
        self.sent: list[Record] = []
        self._room = room
        self._models = models
        self._frontend = FrontEnd()
        self._references = [Reference(model.blob) for model in models]
        self._hops = round((0.0 - _BOARD_STARTED) * RATE / HOP)
        self._delays = np.random.default_rng(5)
        self._under_way: list[tuple[float, Record]] = []

    def send(self, message: Record) -> None:
        self.sent.append(message)
        if isinstance(message, HelloRequest):
            self._say(0.0, _hello(len(self._models)))
            for index, model in enumerate(self._models):
                self._say(0.0, _word(index, model, self._references[index].stride))

    def poll(self, timeout: float) -> list[ReaderEvent]:
        self._room.now += timeout
        self._listen()
        here = [message for at, message in self._under_way if at <= self._room.now]
        self._under_way = [(at, m) for at, m in self._under_way if at > self._room.now]
        return [Received(self._room.now, message) for message in here]

    def _say(self, at: float, message: Record) -> None:
        # In order, as a link is: a late one holds up those behind it.
        last = self._under_way[-1][0] if self._under_way else 0.0
        self._under_way.append((max(at, last), message))

    def _listen(self) -> None:
        while _BOARD_STARTED + (self._hops + 1) * HOP / RATE <= self._room.now:
            start = round((_BOARD_STARTED + self._hops * HOP / RATE - FLIGHT) * RATE)
            self._hops += 1
            rows = self._frontend.push(self._room.at(start, HOP))
            outputs = [model.push(rows) for model in self._references]
            if len(outputs[0]) and not self.muted:
                ended = _BOARD_STARTED + self._hops * HOP / RATE
                told = bytes(int(output[0]) for output in outputs)
                message = Scores(self._hops, 0, told, bytes(len(told)))
                self._say(ended + float(self._delays.uniform(0.002, 0.05)), message)


def _hello(words: int) -> Hello:
    return hello(words=words)


def _word(index: int, model: ModelSpec, stride: int) -> Word:
    digest = bytes.fromhex(model.source_sha256)
    return Word(index, model.cutoff, model.window, stride, digest, model.name)

"""Devices as engines: the firmware hears by wire, on a virtual board or on a real one."""

import atexit
import itertools
import time
from collections.abc import Iterable
from contextlib import ExitStack

import numpy as np

from bluering.link import Connection, Received, wire
from bluering.link.records import Hello, HelloRequest, Scores, Word
from bluering.samples import Samples
from bluering.sound_files import FIRST_FEATURES, HOP, RATE
from bluering.validate.choose import compiled
from bluering.validate.engines import EngineSpec, ModelSpec, Probabilities, TargetError

_ANSWER_SECONDS = 10.0
_QUIET = bytes(2 * RATE)  # a second


class DeviceEngine:
    """An Engine over a device at the other end of a link."""

    def __init__(self, link: wire.Link, models: tuple[ModelSpec, ...]) -> None:
        """TargetError when the device doesn't answer or hasn't got the models."""
        self._link = link
        words = words_of(link)
        self._places = [place_of(words, model) for model in models]
        self.strides: tuple[int, ...] = tuple(words[place].stride for place in self._places)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        """As Engine.listen; TargetError when an output is missing."""
        outputs: list[list[int]] = [[] for _ in self._places]
        samples = 0

        def counted() -> Iterable[Samples]:
            nonlocal samples
            for block in blocks:
                samples += len(block)
                yield block

        for message in wire.hear(self._link, counted()):
            if isinstance(message, Scores):
                self._take(message, outputs)
        steps = max(0, samples // HOP - FIRST_FEATURES)
        for output, stride in zip(outputs, self.strides, strict=True):
            if len(output) != steps // stride:
                raise TargetError(
                    f"the device told {len(output)} of {steps // stride} outputs: "
                    "its link is too slow for all of them, or its firmware is another one"
                )
        return [np.array(output, np.uint8) for output in outputs]

    def _take(self, message: Scores, outputs: list[list[int]]) -> None:
        hops = message.position - FIRST_FEATURES
        for output, stride, place in zip(outputs, self.strides, self._places, strict=True):
            if hops == (len(output) + 1) * stride:
                output.append(message.probabilities[place])


def open_virtual(spec: EngineSpec) -> DeviceEngine:
    """For EngineSpec: the firmware on MicroPython of so many bits, until this process ends."""
    from bluering.virtual.pipe import Pipe
    from bluering.virtual.runner import VirtualBoard

    words = [compiled(model) for model in spec.models]
    # In real time while it waits for its next recording; by wire it is as fast as it can be, on a
    # link that is no slower.
    room = itertools.repeat(_QUIET)
    board = VirtualBoard(words, room, pace="real", word_size=int(spec.argument), roomy=True)
    _OPEN.enter_context(board)
    return DeviceEngine(Pipe(board), spec.models)


def open_port(spec: EngineSpec) -> DeviceEngine:
    """For EngineSpec: a board, real or emulated, behind a port."""
    return DeviceEngine(connected(spec.argument), spec.models)


def connected(port: str) -> Connection:
    """A port that is held until this process ends, or close_devices."""
    return _OPEN.enter_context(Connection(port))


_OPEN = ExitStack()  # links and boards that this process holds


def close_devices() -> None:
    """End the virtual boards and let go of the ports; done by itself when the process ends."""
    _OPEN.close()


atexit.register(close_devices)


def words_of(link: wire.Link) -> list[Word]:
    """The words that the device listens for, by their numbers. TargetError when it is silent."""
    link.send(HelloRequest())
    expected: int | None = None
    words: dict[int, Word] = {}
    end = time.monotonic() + _ANSWER_SECONDS
    while time.monotonic() < end:
        for event in link.poll(0.1):
            message = event.message if isinstance(event, Received) else None
            if isinstance(message, Hello):
                expected, words = message.words, {}
            elif isinstance(message, Word):
                words[message.index] = message
        if expected is not None and len(words) == expected:
            return [words[index] for index in sorted(words)]
    raise TargetError(
        "the device doesn't say which words it listens for: does it run the application, and is "
        "it the right port? 'bluering doctor' tells"
    )


def place_of(words: list[Word], model: ModelSpec) -> int:
    """The model's number on the device. TargetError when it hasn't got this very model."""
    for place, word in enumerate(words):
        if word.model_sha256.hex() == model.source_sha256:
            return place
    found = ", ".join(word.name for word in words) or "none"
    raise TargetError(
        f"the device hasn't got the model {model.name} with this source; it listens for: {found}",
        "put it there with 'bluering deploy'",
    )

"""Cascades on the host: two compiled models in one file, as ear.spotter.cascade runs them."""

import binascii
import hashlib
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bluering.models.compiled import parse_compiled
from bluering.models.errors import ModelError
from bluering.models.reference import Reference
from ear.spotter import format as layout


@dataclass(frozen=True)
class Stages:
    """What is in a cascade's file. doubt: the probability of the first, 0..255, from which on the
    second is asked."""

    first: bytes
    second: bytes
    doubt: int


def join(stages: Stages) -> bytes:
    """The file of a cascade. Raises ModelError when its models don't step together."""
    headers = [parse_compiled(blob).header for blob in (stages.first, stages.second)]
    if len({(header.stride, header.row) for header in headers}) > 1:
        raise ModelError("two models of a cascade must take as many rows a step")
    sources = b"".join(header.source_sha256 for header in headers)
    head = struct.pack(
        layout.CASCADE,
        layout.CASCADE_MAGIC,
        layout.CASCADE_VERSION,
        stages.doubt,
        len(stages.first),
        len(stages.second),
        hashlib.sha256(sources + bytes([stages.doubt])).digest(),
    )
    checksum = struct.pack(layout.CHECKSUM, binascii.crc32(head))
    return head + checksum + stages.first + stages.second


def stages_of(blob: bytes) -> Stages | None:
    """The two models of a cascade, each undamaged; None of a single model. Raises ModelError."""
    header = _header(blob)
    if header is None:
        return None
    end = layout.CASCADE_BYTES + header.first
    stages = Stages(blob[layout.CASCADE_BYTES : end], blob[end:], header.doubt)
    for stage in (stages.first, stages.second):
        parse_compiled(stage)
    return stages


def source_sha256(blob: bytes) -> bytes:
    """What a device calls it by: of a single model its .tflite's SHA-256. Raises ModelError."""
    return (_header(blob) or parse_compiled(blob).header).source_sha256


def _header(blob: bytes) -> layout.Cascade | None:
    try:
        return layout.read_cascade(blob[: layout.CASCADE_BYTES])
    except layout.ModelError as error:
        raise ModelError(f"{error}") from error


class CascadeReference:
    """As ``Reference``, of two models. The second hears only what it must, as on the device."""

    def __init__(self, stages: Stages) -> None:
        """Raises ModelError when one of them is damaged."""
        self._first, self._second = Reference(stages.first), Reference(stages.second)
        self._doubt = stages.doubt
        self.stride: int = self._first.stride
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self._first.reset()
        self._heard = np.empty((0, self._first.row), np.uint8)  # whole steps, then what waits

    def push(self, features: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Take rows of features; the probability after each step that they complete."""
        first = self._first.push(features)
        rows = np.concatenate([self._heard, features])
        steps = len(rows) // self.stride
        new = steps - len(first)
        second = np.zeros_like(first)
        asked = np.flatnonzero(first >= self._doubt)
        second[asked] = self._ask(rows, asked + new)
        self._heard = rows[max(0, steps * self.stride - self._second.memory) :].copy()
        return together(first, second, self._doubt)

    def _ask(self, rows: NDArray[np.uint8], asked: NDArray[np.intp]) -> NDArray[np.uint8]:
        """What the second gives after some steps of the rows."""
        memory = self._second.memory // self.stride
        begins = np.maximum(asked - memory + 1, 0)
        apart = np.flatnonzero(begins[1:] > asked[:-1] + 1) + 1
        found = [np.empty(0, np.uint8)]
        for stretch in filter(len, np.split(asked, apart)):
            begin = max(0, stretch[0] - memory + 1)
            self._second.reset()
            heard = rows[begin * self.stride : (stretch[-1] + 1) * self.stride]
            found.append(self._second.push(heard)[stretch - begin])
        return np.concatenate(found)


def together(first: NDArray[np.uint8], second: NDArray[np.uint8], doubt: int) -> NDArray[np.uint8]:
    """What both say, of what each says after every step, all 0..255."""
    mean = (first.astype(np.uint16) + second) // 2
    return np.where(first >= doubt, mean, first).astype(np.uint8)


def reference(blob: bytes) -> Reference | CascadeReference:
    """What evaluates a compiled model, one alone or a cascade. Raises ModelError."""
    stages = stages_of(blob)
    return Reference(blob) if stages is None else CascadeReference(stages)

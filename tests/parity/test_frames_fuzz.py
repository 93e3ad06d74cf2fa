"""100,000 spoilt frames through the host's decoder and the device's: none passes for another."""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ear.link.frames import FRAME, Decoder, encode
from tests.targets import device

_CASES = 100_000
_HEAD = struct.Struct("<BHHH")

Spoil = Callable[[random.Random, bytearray], None]


def _flip_bits(dice: random.Random, frame: bytearray) -> None:
    for _ in range(dice.randrange(1, 4)):
        frame[dice.randrange(len(frame))] ^= 1 << dice.randrange(8)


def _replace_bytes(dice: random.Random, frame: bytearray) -> None:
    for _ in range(dice.randrange(1, 4)):
        frame[dice.randrange(len(frame))] = dice.randrange(256)


def _delete(dice: random.Random, frame: bytearray) -> None:
    begin = dice.randrange(len(frame))
    del frame[begin : begin + dice.randrange(1, 5)]


def _insert(dice: random.Random, frame: bytearray) -> None:
    at = dice.randrange(len(frame) + 1)
    frame[at:at] = dice.randbytes(dice.randrange(1, 5))


def _insert_zero(dice: random.Random, frame: bytearray) -> None:
    frame.insert(dice.randrange(len(frame) + 1), 0)


def _cut(dice: random.Random, frame: bytearray) -> None:
    del frame[dice.randrange(len(frame)) :]


def _repeat(dice: random.Random, frame: bytearray) -> None:
    begin = dice.randrange(len(frame))
    piece = frame[begin : begin + dice.randrange(1, 20)]
    frame[begin:begin] = piece


def _swap(dice: random.Random, frame: bytearray) -> None:
    first, second = dice.randrange(len(frame)), dice.randrange(len(frame))
    frame[first], frame[second] = frame[second], frame[first]


def _join(dice: random.Random, frame: bytearray) -> None:
    """The end of this frame goes over into the end of another."""
    other = encode(dice.randrange(256), dice.randrange(65536), dice.randbytes(20))
    frame[dice.randrange(len(frame)) :] = other[dice.randrange(2, len(other)) :]


_SPOILERS: tuple[Spoil, ...] = (
    _flip_bits,
    _replace_bytes,
    _delete,
    _insert,
    _insert_zero,
    _cut,
    _repeat,
    _swap,
    _join,
)


@dataclass(frozen=True)
class Frame:
    """A frame's content."""

    kind: int
    sequence: int
    payload: bytes


@dataclass(frozen=True)
class Corpus:
    """The spoilt frames as one stream, and what the host's decoder made of them."""

    stream: bytes
    accepted: bytes
    accepted_count: int
    garbage: int
    forged: list[tuple[Frame, bytes]]


def _originals(dice: random.Random) -> Iterator[Frame]:
    while True:
        # Mostly as long as real messages; some make COBS begin a second block.
        size = dice.randrange(0, 40) if dice.random() < 0.95 else dice.randrange(240, 513)
        payload = (
            dice.randbytes(size) if dice.random() < 0.5 else dice.choices(b"\0\0\1\xff", k=size)
        )
        yield Frame(dice.randrange(256), dice.randrange(65536), bytes(payload))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    dice = random.Random(20_260_101)
    originals = _originals(dice)
    decoder = Decoder()
    stream = bytearray()
    accepted = bytearray()
    accepted_count = 0
    forged: list[tuple[Frame, bytes]] = []
    for _ in range(_CASES):
        original = next(originals)
        frame = bytearray(encode(original.kind, original.sequence, original.payload))
        for _ in range(dice.randrange(1, 3)):
            if frame:
                dice.choice(_SPOILERS)(dice, frame)
        frame.append(0)
        stream += frame
        for byte in frame:
            if decoder.push(byte) != FRAME:
                continue
            payload = bytes(decoder.payload[: decoder.length])
            accepted += _HEAD.pack(decoder.kind, decoder.sequence, decoder.missed, len(payload))
            accepted += payload
            accepted_count += 1
            if Frame(decoder.kind, decoder.sequence, payload) != original:
                forged.append((original, bytes(frame)))
    return Corpus(bytes(stream), bytes(accepted), accepted_count, decoder.garbage, forged)


def test_host_takes_no_spoilt_frame_for_another(corpus: Corpus) -> None:
    assert corpus.forged == []
    # Some are only spoilt outside, or back to what they were; the fuzz is vain if it's many.
    assert 0 < corpus.accepted_count < _CASES // 10


def test_device_takes_what_the_host_takes(
    micropython: Path, corpus: Corpus, tmp_path: Path
) -> None:
    spoilt = tmp_path / "spoilt"
    accepted = tmp_path / "accepted"
    spoilt.write_bytes(corpus.stream)
    garbage = device.run(micropython, "link_fuzz.py", spoilt, accepted)
    assert accepted.read_bytes() == corpus.accepted
    assert int(garbage) == corpus.garbage

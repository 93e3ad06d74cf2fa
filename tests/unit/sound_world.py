"""A device's recordings made on this side: START, chunks and END as frames. A chunk is a hop, not
five, so that more of them can be lost.

Written from the protocol's description, with the library ``cryptography``; the device's own code
is tested on MicroPython (tests/parity/test_privacy_recordings.py).
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bluering.link import codec
from bluering.link.records import (
    FalseWake,
    Hello,
    Record,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
)
from bluering.vault.assembly import Tagged, recording_keys
from ear.link import frames, messages
from ear.privacy import gate, keys
from ear.privacy.codecs import ADPCM, CAPACITY, Encoder, decode

AnyTagged = TypeVar("AnyTagged", bound=Tagged)
DEVICE = bytes(range(1, 9))
KEY = bytes(range(32))
HOP = 160


def hello(session: int = 7) -> Hello:
    """The device presents itself; of what it says only the session matters here."""
    empty = {field.name: {int: 0, str: "", bytes: b""}[field.type] for field in fields(Hello)}
    return replace(Hello(**empty), protocol=messages.VERSION, session=session)


def sound(number: int, hops: int) -> np.ndarray:
    """Samples that tell which recording they are of, as they are after the link's codec."""
    return np.concatenate([np.frombuffer(decode(body), "<i2") for body in _bodies(number, hops)])


@cache
def _bodies(number: int, hops: int) -> list[bytes]:
    """A recording's chunks before they are encrypted, a hop in each."""
    samples = np.random.default_rng(number).integers(-9999, 9999, HOP * hops).astype("<i2")
    encoder, bodies = Encoder(), []
    for hop in samples.reshape(hops, HOP):
        body = bytearray(CAPACITY)
        bodies.append(bytes(body[: encoder.push(hop.tobytes(), body)]))
        encoder.finish()
    return bodies


def recording(
    number: int = 1, hops: int = 20, boot: int = 1, reason: int = gate.SILENCE
) -> list[Record]:
    """All messages of one recording."""
    start = RecordingStart(
        device=DEVICE,
        boot=boot,
        number=number,
        salt=hashlib.sha256(b"%d %d" % (boot, number)).digest()[:16],
        codec=ADPCM,
        consent=0,
        retention_days=30,
        position=100 * number,
        pre_roll=0,
        word=0,
        score=251,
        cutoff=247,
        model_sha256=bytes(32),
        tag=bytes(32),
        name="alexa",
    )
    opened = recording_keys(KEY, start)
    end = RecordingEnd(number, reason, hops, HOP * hops, 0, bytes(32))
    chunks = [
        _chunk(opened.encryption, number, at, body) for at, body in enumerate(_bodies(number, hops))
    ]
    return [tagged(opened.authentication, message) for message in (start, *chunks, end)]


def false_wake(number: int, boot: int = 1) -> FalseWake:
    """The owner pressed the button."""
    message = FalseWake(DEVICE, boot, number, 100 * number, bytes(32))
    return tagged(keys.control_key(KEY), message)


def tagged(key: bytes, message: AnyTagged) -> AnyTagged:
    """A message with its tag."""
    payload = codec.pack(message)
    size = message.declaration.size
    covered = bytes([message.declaration.id]) + payload[: size - 32] + payload[size:]
    return replace(message, tag=hmac.new(key, covered, hashlib.sha256).digest())


def to_frames(records: list[Record], first: int = 0) -> Iterator[bytes]:
    """Records as they go over the wire."""
    for sequence, message in enumerate(records, first):
        yield frames.encode(message.declaration.id, sequence & 0xFFFF, codec.pack(message))


def _chunk(key: bytes, number: int, sequence: int, body: bytes) -> RecordingChunk:
    counter = bytes(10) + sequence.to_bytes(2, "big") + bytes(4)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    data = encryptor.update(body)
    return RecordingChunk(number, sequence, HOP * sequence, HOP, bytes(32), data)

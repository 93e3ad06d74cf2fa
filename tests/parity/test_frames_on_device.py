"""The device's end of the link on MicroPython, both word sizes, against the host's."""

import random
import struct
import subprocess
from itertools import pairwise
from pathlib import Path

from bluering.link.codec import pack
from bluering.link.reader import Reader as HostReader
from bluering.link.reader import Received
from bluering.link.records import (
    Bye,
    Health,
    HelloRequest,
    Log,
    Record,
    Ring,
    Scores,
    Telemetry,
    Wake,
    Word,
)
from ear.link.frames import MAX_PAYLOAD, encode
from tests.targets import device
from tests.unit.pretend_device import hello

_SHA256 = bytes(range(32))


def _contents() -> list[bytes]:
    """Payloads of every length, of bytes that matter to COBS: none zero, all zero, mixed."""
    dice = random.Random(1)
    makers = [
        lambda size: dice.randbytes(size),
        lambda size: bytes(size),
        lambda size: bytes(dice.randrange(1, 256) for _ in range(size)),
        lambda size: bytes(dice.choice(b"\0\1\xff") for _ in range(size)),
    ]
    return [make(size) for size in range(MAX_PAYLOAD + 1) for make in makers]


def test_kernels_and_twins_make_the_hosts_frames(micropython: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "vectors"
    contents = _contents()
    with vectors.open("wb") as file:
        for number, payload in enumerate(contents):
            frame = encode(number & 0xFF, number, payload)
            content = struct.pack("<BH", number & 0xFF, number) + payload
            file.write(struct.pack("<HH", len(content), len(frame)) + content + frame)
    assert device.run(micropython, "link_frames.py", vectors) == f"{len(contents)} vectors ok\n"


def test_outbox(micropython: Path) -> None:
    assert device.run(micropython, "link_outbox.py") == "ok\n"


def _start(micropython: Path, script: str) -> subprocess.Popen[bytes]:
    path = Path(device.__file__).parents[1] / "device" / script
    firmware = device.ROOT / "firmware"
    return subprocess.Popen(
        [micropython, path, firmware],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_telemetry_allocates_nothing_and_says_what_was_written(micropython: Path) -> None:
    with _start(micropython, "link_heap.py") as process:
        assert process.stdout
        assert process.stderr
        events = list(HostReader().feed(process.stdout.read(), 0.0))
        assert process.stderr.read() == b"dropped 0\n"
    assert all(isinstance(event, Received) for event in events)
    messages = [event.message for event in events if isinstance(event, Received)]
    assert messages[:3] == [
        hello(session=0xFFFFFFFF, words=3, firmware="1.2.3", board="böard", runtime="MicroPython"),
        Word(0, 213, 5, 3, _SHA256, "alexa"),
        Log(2, "model", "it is broken"),
    ]
    assert messages[3:-1] == [
        message for number in range(1000) for message in _round_of(number + 0x20000)
    ]
    assert messages[-1] == Bye("done")


def _round_of(position: int) -> list[Record]:
    return [
        Scores(position, 32767, bytes([250] * 3), bytes([240] * 3)),
        Wake(position, 1, 214, 213, _SHA256, "alexa", bytes([10, 20, 30, 40, 50])),
        Ring(position, 3, bytes(range(36))),
        Health(position, position, 0, 0, 0, 9999, 123456, 1),
    ]


def test_inbox_finds_messages_among_garbage(micropython: Path) -> None:
    ask = encode(HelloRequest.declaration.id, 700, pack(HelloRequest()))
    telemetry = Telemetry(scores_every=0, health_every=0x0301)
    tell = encode(Telemetry.declaration.id, 703, pack(telemetry))
    pieces = [b"ls\r\n", ask, b"\xff\x00", ask[:4], tell, tell[3:], encode(99, 704)]
    with _start(micropython, "link_inbox.py") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        stream = b"".join(pieces)
        cuts = [0, 3, 5, 6, 20, len(stream)]
        for begin, end in pairwise(cuts):
            process.stdin.write(stream[begin:end])
            process.stdin.flush()
        lines = process.stdout.read().decode().splitlines()
        assert process.stderr.read() == b""
    # Two frames are missing between 700 and 703; the half frames are garbage.
    garbage = len(b"ls\r\n") + 1 + 3 + len(tell) - 4
    assert lines == ["64 ", "66 000103", "99 ", f"garbage {garbage} lost 2"]

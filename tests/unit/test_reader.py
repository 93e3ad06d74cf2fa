"""From bytes to events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluering.link.codec import pack
from bluering.link.reader import Garbage, Lost, Reader, ReaderEvent, Received, Undecodable
from bluering.link.records import Bye, Record, Telemetry
from ear.link.frames import encode
from tests.unit.pretend_device import hello


def frame(message: Record, sequence: int) -> bytes:
    return encode(message.declaration.id, sequence, pack(message))


def read(*pieces: bytes) -> list[ReaderEvent]:
    reader = Reader()
    return [event for piece in pieces for event in reader.feed(piece, 1.5)]


_STREAM = (
    frame(hello(session=1), 0)
    + b"some text\r\n"
    + frame(Bye("x"), 1)
    + b"\xff\xfe\x00"
    + frame(Telemetry(1, 2), 5)[:-4]
    + frame(Bye("y"), 6)
    + encode(63, 7, b"?")
)
_EVENTS = [
    Received(1.5, hello(session=1)),
    Garbage(1.5, b"some text\r\n"),
    Received(1.5, Bye("x")),
    Garbage(1.5, b"\xff\xfe"),
    Garbage(1.5, frame(Telemetry(1, 2), 5)[1:-4]),
    Lost(1.5, 4),
    Received(1.5, Bye("y")),
    Undecodable(1.5, 63, "no message has the number 63"),
]


@given(st.lists(st.integers(0, len(_STREAM))))
def test_any_split_of_the_stream_brings_the_same(cuts: list[int]) -> None:
    places = sorted({0, len(_STREAM), *cuts})
    assert read(*(_STREAM[begin:end] for begin, end in pairwise(places))) == _EVENTS


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(noise: bytes) -> None:
    assert read(noise, frame(Bye("end"), 9))[-1] == Received(1.5, Bye("end"))


def test_a_restart_is_no_loss() -> None:
    frames = [(hello(session=1), 0), (Bye("a"), 1), (hello(session=2), 0), (Bye("b"), 1)]
    events = read(*(frame(*one) for one in frames))
    assert not any(isinstance(event, Lost) for event in events)


def test_a_hello_in_mid_session_hides_no_loss() -> None:
    events = read(frame(hello(session=1), 0), frame(hello(session=1), 3))
    assert events[1:] == [Lost(1.5, 2), Received(1.5, hello(session=1))]


def test_text_that_nothing_follows_is_flushed() -> None:
    reader = Reader()
    assert list(reader.feed(b"Traceback:\r\n", 1.0)) == []
    assert list(reader.flush(2.0)) == [Garbage(2.0, b"Traceback:\r\n")]
    assert list(reader.flush(3.0)) == []
    assert list(reader.feed(frame(Bye(""), 0), 4.0)) == [Received(4.0, Bye(""))]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b">>> import os\r\n", ">>> import os"),
        ("größe".encode(), "größe"),
        (b"\xff\xfe", None),
        (b"\x1b[31mred", None),
        (b"\r\n", None),
    ],
)
def test_garbage_is_text_or_not(data: bytes, text: str | None) -> None:
    assert Garbage(0.0, data).text == text

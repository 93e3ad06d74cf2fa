"""The declaration of the messages, and what the host makes of it."""

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluering.link import generate
from bluering.link.codec import PayloadError, pack, unpack
from bluering.link.records import RECORDS, Bye, Log, Record, Scores, Telemetry, Wake
from ear.link import messages
from ear.link.frames import MAX_PAYLOAD
from ear.link.messages import COUNTED, FIXED, MESSAGES, VERSION, Message

_NUMBERS = {"u8": 2**8, "u16": 2**16, "u32": 2**32, "position": 2**48}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{kind: st.integers(0, end - 1) for kind, end in _NUMBERS.items()},
    **{f"bytes{size}": st.binary(min_size=size, max_size=size) for size in (8, 16, 32)},
    "u8s": st.binary(max_size=20),
    "bytes": st.binary(max_size=300),
    "str": st.text(max_size=30),
}
_RECORDS = st.sampled_from(list(RECORDS.values())).flatmap(
    lambda record: st.builds(record, **_fields_of(record.declaration))
)


def _fields_of(message: Message) -> dict[str, st.SearchStrategy[Any]]:
    fields = {name: _VALUES[kind] for name, kind in message.fields}
    # Another version is another story.
    return fields | ({"protocol": st.just(VERSION)} if message is messages.HELLO else {})


def test_generated_files_say_what_the_declaration_says() -> None:
    for path, text in generate.outputs().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path.name} is out of date: python -m bluering.link.generate"
        )


def test_every_message_is_declared_well() -> None:
    described = {one.message: one for one in generate.describe()}
    assert set(described) == set(MESSAGES)
    assert len({message.id for message in MESSAGES}) == len(MESSAGES)
    assert len({message.name for message in MESSAGES}) == len(MESSAGES)
    for message in MESSAGES:
        assert (message.id < 64) == message.from_device
        assert described[message].meaning.endswith(".")
        assert all(field.meaning for field in described[message].fields), message.name
        kinds = [kind for _, kind in message.fields]
        assert set(kinds) <= set(FIXED) | set(COUNTED)
        fixed = [kind in FIXED for kind in kinds]
        assert fixed == sorted(fixed, reverse=True), f"{message.name}: fixed sizes go first"


def test_layout_by_hand() -> None:
    assert pack(Telemetry(scores_every=2, health_every=0x1234)) == b"\x02\x34\x12"
    assert pack(Scores(0x30002, 5, b"\x0a\x0b", b"\x0c\x0d")) == (
        b"\x02\x00\x03\x00\x00\x00" + b"\x05\x00" + b"\x02\x0a\x0b" + b"\x02\x0c\x0d"
    )
    assert pack(Bye("é")) == b"\x02\xc3\xa9"
    assert struct.calcsize(messages.WAKE.format) == messages.WAKE.size == 6 + 3 + 32


@given(_RECORDS)
def test_round_trip(record: Record) -> None:
    payload = pack(record)
    assert len(payload) <= MAX_PAYLOAD
    assert unpack(record.declaration.id, payload) == record


@given(st.integers(0, 255), st.binary(max_size=80))
def test_no_payload_does_harm(kind: int, payload: bytes) -> None:
    with suppress(PayloadError):
        assert unpack(kind, payload).declaration.id == kind


@given(_RECORDS, st.data())
def test_a_payload_cut_short_is_refused(record: Record, data: st.DataObject) -> None:
    payload = pack(record)
    if payload:
        cut = data.draw(st.integers(0, len(payload) - 1))
        with pytest.raises(PayloadError):
            unpack(record.declaration.id, payload[:cut])
    with pytest.raises(PayloadError, match="1 bytes too many"):
        unpack(record.declaration.id, payload + b"\0")


def test_a_message_of_another_time_is_refused_by_name() -> None:
    with pytest.raises(PayloadError, match="number 63"):
        unpack(63, b"")
    newer = bytes([VERSION + 1]) + b"whatever a later hello may hold"
    with pytest.raises(PayloadError, match=f"version {VERSION + 1} .* version {VERSION}: update"):
        unpack(messages.HELLO.id, newer)
    with pytest.raises(PayloadError, match="ends inside its newest"):
        unpack(messages.WAKE.id, pack(Wake(1, 0, 2, 3, bytes(32), "x", b"123"))[:-1])


def test_text_that_was_cut_in_mid_character_is_still_shown() -> None:
    payload = bytes([1]) + b"\x01x" + b"\x02a\xc3"
    assert unpack(messages.LOG.id, payload) == Log(1, "x", "a\N{REPLACEMENT CHARACTER}")

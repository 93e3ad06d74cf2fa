"""The frame codec on the host: round trips, any split, any garbage."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ear.link.frames import (
    FRAME,
    GARBAGE,
    MAX_FRAME,
    MAX_PAYLOAD,
    PENDING,
    Decoder,
    encode,
    frame_size,
    unseal,
)

_KINDS = st.integers(0, 255)
_SEQUENCES = st.integers(0, 65535)
# Half of them of the bytes that matter to COBS, so that its edges are met.
_PAYLOADS = st.binary(max_size=MAX_PAYLOAD) | st.lists(
    st.sampled_from(b"\0\1\xff"), max_size=MAX_PAYLOAD
).map(bytes)
_FRAMES = st.tuples(_KINDS, _SEQUENCES, _PAYLOADS)
_TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=126)).map(str.encode)


def decode(stream: bytes, decoder: Decoder | None = None) -> list[tuple[int, int, bytes]]:
    decoder = decoder or Decoder()
    found = []
    for byte in stream:
        if decoder.push(byte) == FRAME:
            payload = bytes(decoder.payload[: decoder.length])
            found.append((decoder.kind, decoder.sequence, payload))
    return found


def test_a_frame_by_hand() -> None:
    content = bytes([3, 0x34, 0x12]) + b"hi"
    crc = zlib.crc32(content).to_bytes(4, "little")
    assert 0 not in content + crc
    # Without a zero in it, COBS puts one code in front: the distance to the end.
    assert encode(3, 0x1234, b"hi") == b"\0" + bytes([10]) + content + crc + b"\0"


def test_cobs_by_hand() -> None:
    frame = encode(0, 0)
    crc = zlib.crc32(b"\0\0\0").to_bytes(4, "little")
    assert 0 not in crc
    assert frame == b"\0" + b"\1\1\1\5" + crc + b"\0"


@given(_FRAMES)
def test_round_trip(frame: tuple[int, int, bytes]) -> None:
    encoded = encode(*frame)
    assert encoded[0] == encoded[-1] == 0
    assert 0 not in encoded[1:-1]
    assert len(encoded) <= frame_size(len(frame[2])) <= MAX_FRAME
    assert decode(encoded) == [frame]


@given(st.lists(st.tuples(_TEXT, _FRAMES)), _TEXT)
def test_frames_among_text(parts: list[tuple[bytes, tuple[int, int, bytes]]], end: bytes) -> None:
    stream = b"".join(text + encode(*frame) for text, frame in parts) + end
    decoder = Decoder()
    assert decode(stream, decoder) == [frame for _, frame in parts]
    decoder.push(0)
    assert decoder.garbage == sum(len(text) for text, _ in parts) + len(end)


@given(st.binary(), _FRAMES)
def test_in_step_again_after_any_noise(noise: bytes, frame: tuple[int, int, bytes]) -> None:
    assert decode(noise + encode(*frame))[-1] == frame


@given(_FRAMES, _FRAMES, st.data())
def test_half_a_frame_spoils_no_other(
    first: tuple[int, int, bytes], second: tuple[int, int, bytes], data: st.DataObject
) -> None:
    encoded = encode(*first)
    cut = data.draw(st.integers(0, len(encoded) - 2))
    assert decode(encoded[:cut] + encode(*second)) == [second]
    assert decode(encoded[cut + 1 :] + encode(*second))[-1] == second


def test_noise_without_end_is_taken_in_pieces() -> None:
    decoder = Decoder(capacity=100)
    outcomes = [decoder.push(1) for _ in range(250)]
    assert [place for place, outcome in enumerate(outcomes) if outcome == GARBAGE] == [99, 199]
    assert decoder.garbage == 200
    assert decode(encode(1, 2, b"three"), decoder) == [(1, 2, b"three")]
    assert decoder.garbage == 250


def test_garbage_can_be_looked_at() -> None:
    decoder = Decoder()
    outcomes = [decoder.push(byte) for byte in b">>> \0"]
    assert outcomes == [PENDING] * 4 + [GARBAGE]
    assert decoder.body[: decoder.filled] == b">>> "


@pytest.mark.parametrize(
    ("sequences", "missed"),
    [
        ([5], [0]),  # the first one says where the count begins
        ([0, 1, 2], [0, 0, 0]),
        ([0, 2, 3], [0, 1, 0]),
        ([10, 1000], [0, 989]),
        ([65534, 65535, 0, 1], [0, 0, 0, 0]),
        ([65535, 1], [0, 1]),
    ],
)
def test_missing_frames_are_counted(sequences: list[int], missed: list[int]) -> None:
    decoder = Decoder()
    counts = []
    for sequence in sequences:
        decode(encode(1, sequence), decoder)
        counts.append(decoder.missed)
    assert counts == missed


@given(st.binary(max_size=60).filter(lambda body: 0 not in body))
def test_unseal_never_fails_on_anything(body: bytes) -> None:
    size = unseal(body, len(body), bytearray(len(body)))
    assert size == -1 or size >= 3


def test_a_payload_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 512"):
        encode(1, 0, bytes(MAX_PAYLOAD + 1))

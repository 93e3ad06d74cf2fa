"""The frames' native kernel as machine code: frames byte for byte, and cheap."""

import random
import zlib
from types import SimpleNamespace
from typing import Any

import pytest

from ear.link import frames
from ear.link.frames import CRC, CRC_TABLE, HEADER, encode, frame_size
from tests.native import world
from tests.targets.native import NativeXtensa, kernels_on
from tests.targets.pie import Core
from tests.targets.xtensa import QemuMissingError, import_module

_AT = 5
_GUARD = b"\xa5" * 9
_SIZES = [3, 4, 10, 40, 249, 250, 251, 252, 253, 254, 255, 503, 504, 505, 506, 507, 508, 509, 515]
_ALPHABETS = {
    "any": range(256),
    "no zero": range(1, 256),
    "few": b"\0\1\xff",
    "zeros": b"\0",
    "mostly zeros": b"\0" * 9 + b"\7",
}


@pytest.fixture(scope="module")
def native() -> dict[str, bytes]:
    return world.native_code("link")


def content(alphabet: str, size: int) -> bytes:
    return bytes(random.Random(size).choices(_ALPHABETS[alphabet], k=size))


def sealed(seal, some: bytes) -> tuple[int, bytes, bytes]:
    """The frame's length, and message and ring with what stands around them."""
    message = bytearray(some) + b"\x5a" * CRC + _GUARD
    out = bytearray(_GUARD[:_AT]) + b"\x5a" * frame_size(len(some) - HEADER) + _GUARD
    return seal(message, len(some), out, _AT), bytes(message), bytes(out)


def by(machine):
    """The kernel on a machine, with the arguments of its plain twin."""
    return lambda *arguments: machine.call("seal", *arguments, CRC_TABLE)


@pytest.mark.parametrize("alphabet", _ALPHABETS)
@pytest.mark.parametrize("size", _SIZES)
def test_frames_and_what_is_around_them_are_the_plain_twins(native, alphabet, size):
    some = content(alphabet, size)
    length, message, out = sealed(by(Core(native)), some)
    assert (length, message, out) == sealed(frames.seal, some)
    assert message == some + zlib.crc32(some).to_bytes(CRC, "little") + _GUARD
    assert 0 not in out[_AT + 1 : _AT + length - 1]


def test_blocks_that_end_in_the_checksum(native):
    """Blocks end with each of the checksum's bytes, those that are zero included."""
    seal = by(Core(native))
    zeros = set()
    for number in range(2000):
        some = bytes([1, number & 255 | 1, number >> 3 | 1]) + b"\x11" * (number % 7 + 244)
        checksum = zlib.crc32(some).to_bytes(CRC, "little")
        zeros |= {place for place in range(CRC) if checksum[place] == 0}
        if 0 in checksum or number < 50:
            assert sealed(seal, some) == sealed(frames.seal, some)
    assert zeros == set(range(CRC))


def test_model_of_the_core_and_qemu_agree(native):
    try:
        machine = NativeXtensa(native)
    except QemuMissingError as error:
        pytest.skip(str(error))
    core = Core(native)
    for alphabet in _ALPHABETS:
        some = content(alphabet, 515)
        expected = sealed(frames.seal, some)
        assert sealed(by(machine), some) == sealed(by(core), some) == expected
    assert core.counts == machine.counts


@pytest.mark.parametrize("alphabet", _ALPHABETS)
def test_a_byte_costs_twenty_instructions_at_most(native, alphabet):
    core = Core(native)
    sealed(by(core), content(alphabet, 460))
    once = 100  # call, checksum and end
    assert 460 * 13 < core.counts["seal"] <= 460 * 20 + once


def test_the_outbox_seals_with_the_native_kernel(native, monkeypatch):
    """Its own messages and those that are kept, round the end of the ring too."""
    core: Any = Core(native)
    outbox = import_module("ear.link.outbox", "ear.link.frame_kernels", core)
    poll = SimpleNamespace(register=lambda *_: None, ipoll=lambda _: iter([(None, 1)]))
    monkeypatch.setattr(outbox, "select", SimpleNamespace(poll=lambda: poll, POLLOUT=1))
    taken = bytearray()

    def write(buffer, offset, length):
        taken.extend(buffer[offset : offset + length])
        return length

    box = outbox.Outbox(SimpleNamespace(write=write), 250, 64)
    box.use(kernels_on(core))
    message = bytearray((7, 0, 0)) + b"kept\0\0" + bytes(CRC)
    kept = box.keep(message)
    expected = b""
    for number in range(0, 40, 2):
        box.payload[:60] = bytes([number]) * 60
        assert box.send(9, 60)
        assert box.send_kept(kept, 6, frame_size(6))
        expected += encode(9, number, bytes([number]) * 60) + encode(7, number + 1, b"kept\0\0")
        while box.pump():
            pass
    assert taken == expected
    assert core.counts["seal"] > 40 * 100

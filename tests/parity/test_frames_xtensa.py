"""The frames' kernels as the board's machine code, against their plain twins."""

import random
import zlib

import pytest

from ear.link.frames import CRC, CRC_TABLE, HEADER, encode, frame_size, unseal
from tests.targets import device, xtensa

_KERNELS = device.ROOT / "firmware" / "ear" / "link" / "frame_kernels.py"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> xtensa.Xtensa:
    functions = xtensa.compile_functions(_KERNELS, tmp_path_factory.mktemp("kernels"))
    try:
        return xtensa.Xtensa(functions, counting=False)
    except xtensa.QemuMissingError as error:
        pytest.skip(str(error))


def _contents() -> list[bytes]:
    dice = random.Random(5)
    sizes = [3, 4, 10, 40, 249, 250, 251, 252, 253, 254, 255, 515]
    return [
        bytes(dice.choices(alphabet, k=size))
        for size in sizes
        for alphabet in (range(256), range(1, 256), b"\0\1\xff")
    ]


def test_frames_are_equal(machine: xtensa.Xtensa) -> None:
    for content in _contents():
        kind, sequence = content[0], int.from_bytes(content[1:HEADER], "little")
        frame = encode(kind, sequence, content[HEADER:])
        message = bytearray(content) + bytes(CRC)
        out = bytearray(5 + frame_size(len(content) - HEADER))
        assert machine.call("seal", message, len(content), out, 5, CRC_TABLE) == len(frame)
        assert message == content + zlib.crc32(content).to_bytes(CRC, "little")
        assert out[5 : 5 + len(frame)] == frame

        body = frame[1:-1]
        opened = bytearray(len(body))
        assert machine.call("unstuff", body, len(body), opened) == len(message)
        assert opened[: len(message)] == message
        assert machine.call("check_crc", opened, len(message), CRC_TABLE) == len(content)


def test_spoilt_frames_are_refused_alike(machine: xtensa.Xtensa) -> None:
    dice = random.Random(6)
    refused = 0
    for content in _contents():
        body = bytearray(encode(1, 2, content[HEADER:])[1:-1])
        place = dice.randrange(len(body))
        body[place] = dice.choice([byte for byte in range(1, 256) if byte != body[place]])
        expected = unseal(body, len(body), bytearray(len(body)))
        opened = bytearray(len(body))
        size = machine.call("unstuff", body, len(body), opened)
        assert machine.call("check_crc", opened, size, CRC_TABLE) == expected
        refused += expected == -1
    assert refused == len(_contents())


def test_copy(machine: xtensa.Xtensa) -> None:
    target = bytearray(8)
    assert machine.call("copy_into", b"abcdef", 4, target, 3) == 7
    assert target == b"\0\0\0abcd\0"

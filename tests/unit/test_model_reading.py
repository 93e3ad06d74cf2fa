"""Damaged files, of either format, are refused with a reason and never crash or hang."""

import struct
import zlib

import numpy as np
import pytest

from bluering.models.compiled import parse_compiled
from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.packaged import packaged
from bluering.models.tflite_reader import parse_tflite
from ear.spotter import format as layout

SOURCE = packaged("alexa").source.read_bytes()
BLOB = packaged("alexa").blob


def test_a_tflite_is_read() -> None:
    model = parse_tflite(SOURCE)
    main = model.subgraphs[0]
    assert main.tensors[main.inputs[0]].shape == (1, 3, 40)
    assert main.tensors[main.outputs[0]].type == "UINT8"
    assert [operator.name for operator in main.operators[-3:]] == [
        "FULLY_CONNECTED",
        "LOGISTIC",
        "QUANTIZE",
    ]


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0" * 64, b"GIF89a" * 20])
def test_another_file_is_no_tflite(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        parse_tflite(data)


def test_truncated_tflites_are_refused() -> None:
    for length in range(8, len(SOURCE), 251):
        with pytest.raises(ModelError):
            compile_model(parse_tflite(SOURCE[:length]))


def test_damaged_tflites_are_compiled_or_refused() -> None:
    """Some damage changes nothing that can be seen, such as a weight."""
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(400):
        data = bytearray(SOURCE)
        places = random.integers(0, len(data), 40)
        # mostly where the structure is, not the weights
        places[::2] = random.integers(len(data) - 12_000, len(data), 20)
        for place in places[: random.integers(1, 40)]:
            data[place] = random.integers(256)
        try:
            compile_model(parse_tflite(bytes(data)))
        except ModelError:
            refused += 1
    assert 50 < refused < 400


def test_a_whole_compiled_model_is_read() -> None:
    header = layout.read_header(BLOB)
    assert header.source_sha256 == parse_tflite(SOURCE).sha256
    assert (header.stride, header.row, header.input_zero_point) == (3, 40, -128)
    assert len(layout.read_layers(BLOB, header)) == 10


def test_every_truncation_is_refused() -> None:
    for length in range(len(BLOB)):
        with pytest.raises(layout.ModelError, match="truncated"):
            layout.read_header(BLOB[:length])


def test_every_damaged_byte_is_noticed() -> None:
    random = np.random.default_rng(4)
    data = bytearray(BLOB)
    for place, change in enumerate(random.integers(1, 256, len(BLOB)).tolist()):
        data[place] ^= change
        with pytest.raises(layout.ModelError):
            layout.read_header(data)
        data[place] ^= change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"TFL3" + data[4:], "not a compiled model"),
        (lambda data: data[:4] + b"\7\0" + data[6:], "format version 7, not 1"),
        (lambda data: data + b"\0", "truncated or joined"),
        (lambda data: data[:-1], "truncated"),
        (lambda data: data[:200] + b"\0" + data[201:], "corrupt: its checksum is wrong"),
        (lambda _data: b"", "truncated: 0 bytes"),
    ],
)
def test_the_reason_is_told(change, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        parse_compiled(change(BLOB))


def test_the_checksum_covers_the_whole_file() -> None:
    (checksum,) = struct.unpack(layout.CHECKSUM, BLOB[-4:])
    assert checksum == zlib.crc32(BLOB[:-4])

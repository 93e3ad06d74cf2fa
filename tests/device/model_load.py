"""model_load.py FIRMWARE MODEL: damaged models are refused with a reason, whole ones are loaded."""

import struct
import sys

sys.path.insert(0, sys.argv[1])

from ear.spotter.model import Model, ModelError

with open(sys.argv[2], "rb") as file:
    blob = file.read()


def reason(data):
    try:
        Model(data)
    except ModelError as error:
        return str(error)
    return "loaded"


def flipped(bit):
    data = bytearray(blob)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


assert reason(blob) == "loaded"
model = Model(blob)
assert len(model.source_sha256) == 32
assert model.stride == struct.unpack_from("<B", blob, 6)[0]
for length in range(0, len(blob), 7):
    assert "truncated" in reason(blob[:length])
assert "truncated" in reason(blob[:-1])
assert "joined" in reason(blob + b"\0")
assert reason(b"TFL3" + blob[4:]) == "not a compiled model"
assert reason(blob[:4] + b"\2\0" + blob[6:]) == "format version 2, not 1"
for bit in range(0, 8 * len(blob), 331):
    assert reason(flipped(bit)) != "loaded"
assert "corrupt" in reason(flipped(8 * 100))
try:
    model.push(bytes(39))
except ValueError as error:
    print(error)

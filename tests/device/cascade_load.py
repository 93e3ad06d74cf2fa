"""cascade_load.py FIRMWARE MODEL: damaged cascades are refused with a reason, whole ones loaded."""

import io
import sys

sys.path.insert(0, sys.argv[1])

from ear.spotter.cascade import Cascade, read_model
from ear.spotter.format import CASCADE_BYTES, ModelError

with open(sys.argv[2], "rb") as file:
    blob = file.read()


def reason(data):
    try:
        model = read_model(io.BytesIO(data))
    except ModelError as error:
        return str(error)
    assert isinstance(model, Cascade)
    return "loaded"


assert reason(blob) == "loaded"
for length in range(4, len(blob), 997):
    assert "truncated" in reason(blob[:length]), length
assert reason(blob + b"\0") == "there is more in it than two models"
assert reason(blob[:4] + b"\2\0" + blob[6:]) == "format version 2, not 1"
for place in range(6, CASCADE_BYTES):
    data = bytearray(blob)
    data[place] ^= 16
    assert "corrupt" in reason(bytes(data)), place
for place in range(CASCADE_BYTES, len(blob), 499):
    data = bytearray(blob)
    data[place] ^= 16
    assert reason(bytes(data)) != "loaded", place
try:
    read_model(io.BytesIO(blob)).push(bytes(39))
except ValueError as error:
    print(error)

"""model_reset.py FIRMWARE MODEL FEATURES: a model that was reset in mid-step answers like new."""

import sys

sys.path.insert(0, sys.argv[1])

from ear.spotter.model import Model

with open(sys.argv[2], "rb") as file:
    blob = file.read()
with open(sys.argv[3], "rb") as file:
    features = memoryview(file.read())


def outputs(model):
    said = bytearray()
    for start in range(0, len(features), 40):
        if model.push(features[start : start + 40]):
            said.append(model.probability)
    return said


used = Model(blob)
first = outputs(used)
used.push(features[:40])
used.reset()
assert used.probability == 0
assert outputs(used) == first
assert max(first) > 0
print("ok")

"""model_stream.py FIRMWARE MODEL FEATURES OUTPUT: stream rows of features through a model.

Writes the probability of every step to OUTPUT and prints how many there were.
"""

import sys

sys.path.insert(0, sys.argv[1])

from ear.spotter.model import Model

with open(sys.argv[2], "rb") as file:
    model = Model(file.read())
with open(sys.argv[3], "rb") as file:
    features = memoryview(file.read())

outputs = bytearray()
for start in range(0, len(features), 40):
    if model.push(features[start : start + 40]):
        outputs.append(model.probability)
with open(sys.argv[4], "wb") as file:
    file.write(outputs)
print(len(outputs), "steps of", model.stride)

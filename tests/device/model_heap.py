"""model_heap.py FIRMWARE MODEL: with the heap locked, 3,000 rows through a model and a detector."""

import sys

sys.path.insert(0, sys.argv[1])

import micropython

from ear.spotter.detector import Detector
from ear.spotter.model import Model

with open(sys.argv[2], "rb") as file:
    model = Model(file.read())
detector = Detector(100, 5, model.stride, 50)
row = bytearray(40)


def wakes_in(rows):
    steps = wakes = 0
    for number in range(rows):
        for i in range(40):
            row[i] = (i * number ^ number >> 3) & 255
        if model.push(row):
            steps += 1
            wakes += detector.step(200 if number % 200 < 20 else 0)
    return 1000 * steps + wakes


def locked():
    micropython.heap_lock()
    first = wakes_in(2400)
    model.reset()
    detector.reset()
    second = wakes_in(600)
    micropython.heap_unlock()
    return first, second


for result in locked():
    print(result // 1000, "steps,", result % 1000, "wakes")

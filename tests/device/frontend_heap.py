"""On MicroPython, with the heap locked: 500 hops and a reset through the front end."""

import sys

sys.path.insert(0, sys.argv[1])

import micropython

from ear.audio.frontend import HOP, FrontEnd

front_end = FrontEnd()
hop = bytearray(2 * HOP)


def listen(hops):
    new = 0
    for number in range(hops):
        for i in range(HOP):
            hop[2 * i] = i * number & 255
            hop[2 * i + 1] = (i ^ number) & 255
        new += front_end.push(hop)
    return new


def locked():
    micropython.heap_lock()
    first = listen(400)
    front_end.reset()
    second = listen(100)
    micropython.heap_unlock()
    return first, second


assert locked() == (398, 98)
samples = [(hop[2 * i] | hop[2 * i + 1] << 8) - (hop[2 * i + 1] >> 7 << 16) for i in range(HOP)]
assert front_end.peak == max([abs(sample) for sample in samples])
print("ok")

"""On MicroPython: features of sound files compared with the oracle's.

Arguments: the firmware's folder, a file with band weights or "-", then for each signal a file of
int16 samples and one of 40 uint16 a frame. Prints for each signal: frames, raw features that
differ, quantised features that differ.
"""

import sys

sys.path.insert(0, sys.argv[1])

from array import array

from ear.audio import frontend
from ear.audio.frontend import CHANNELS, HOP, FrontEnd

if sys.argv[2] != "-":
    with open(sys.argv[2], "rb") as file:
        frontend.tables.BAND_WEIGHTS = file.read()

front_end = FrontEnd()
hop = bytearray(2 * HOP)
expected = array("H", bytes(2 * CHANNELS))


def compare(sound, oracle):
    frames = raw = quantised = 0
    front_end.reset()
    while sound.readinto(hop) == len(hop):
        if front_end.push(hop):
            frames += oracle.readinto(expected) // (2 * CHANNELS)
            for i, value in enumerate(expected):
                raw += value != front_end.raw[i]
                quantised += min((value * 256 + 333) // 666, 255) != front_end.features[i]
    assert not oracle.read(), "the oracle has more frames"
    return frames, raw, quantised


for at in range(3, len(sys.argv), 2):
    with open(sys.argv[at], "rb") as sound, open(sys.argv[at + 1], "rb") as oracle:
        print(*compare(sound, oracle))

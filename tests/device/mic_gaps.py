"""On MicroPython: the microphone's count of lost samples, on a clock that the test moves."""

import sys

sys.path.insert(0, sys.argv[1])

import time as real_time


class Clock:
    now = 0

    @staticmethod
    def ticks_us():
        return Clock.now

    @staticmethod
    def ticks_diff(end, start):
        return real_time.ticks_diff(end, start)


sys.modules["time"] = Clock

from ear.audio.mic import Microphone


class I2S:
    """Delivers a hop every 10 ms of the clock from an endless source, or nothing more."""

    def __init__(self):
        self.produced = Clock.now
        self.ended = False

    def readinto(self, buffer):
        if self.ended:
            return 0
        self.produced += 10000
        if Clock.now < self.produced:
            Clock.now = self.produced
        return len(buffer)

    def deinit(self):
        pass


def read(pauses_ms, bits=16):
    """Read a hop after each pause; returns (samples lost before each hop, microphone)."""
    Clock.now = 1000
    microphone = Microphone(I2S, bits, 16, 20000)  # 20000 bytes hold 156.25 ms
    microphone.start()
    lost = []
    for pause in pauses_ms:
        Clock.now += pause * 1000
        lost.append(microphone.read())
    return lost, microphone


CASES = (
    # pauses in ms before each read                 samples lost before each hop
    ((0, 0, 0, 0), (0, 0, 0, 0)),
    ((9, 9, 9, 9), (0, 0, 0, 0)),
    ((0, 150, 0, 0), (0, 0, 0, 0)),
    ((0, 156, 0, 0), (0, 0, 0, 0)),
    ((0, 166, 0, 0), (0, 156, 0, 0)),
    ((0, 256, 0, 0), (0, 1596, 0, 0)),
    # two pauses that only together are too long
    ((0, 100, 70, 0), (0, 0, 60, 0)),
    # the reader catches up in between
    ((0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100), (0,) * 14),
)

for pauses, expected in CASES:
    lost, microphone = read(pauses)
    print(pauses, lost)
    assert tuple(lost) == expected, (pauses, lost, expected)
    assert microphone.lost == sum(expected)
    assert microphone.gaps == sum(1 for n in expected if n)

_, microphone = read((0,))
microphone._i2s.ended = True
assert microphone.read() == -1
print("ok")

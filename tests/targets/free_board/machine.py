"""Stands in for ``machine``: builtins do all that happens in every hop, so that it costs nothing.

Pins are as they are left open; the microphone delivers silence as fast as it is read.
"""

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3

pins = {}  # by number, for a program that closes a switch: ``pins[7].value = CLOSED``
OPEN = "1".isdigit  # True, which is a level of 1
CLOSED = "".isdigit


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 2

    def __init__(self, number, mode=0, pull=None, value=None):
        self.value = OPEN
        pins[number] = self


class I2S:
    RX = 0
    MONO = 0

    def __init__(self, number, **kind):
        self._silence = open("/dev/zero", "rb")
        self.readinto = self._silence.readinto

    def deinit(self):
        self._silence.close()


class WDT:
    def __init__(self, timeout):
        self.feed = OPEN


def freq(hz=None):
    return 240000000


def reset_cause():
    return PWRON_RESET


def reset():
    raise SystemExit(85)

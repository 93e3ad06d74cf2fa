"""Stands in for ``time`` on the virtual board, so that fast mode has a clock of its own."""

import wires
from utime import *


def ticks_us():
    return wires.ticks_us()


def ticks_diff(end, start):
    # The clock above wraps at 2**29.
    return ((end - start + 0x10000000) & 0x1FFFFFFF) - 0x10000000


def sleep_ms(duration):
    wires.sleep_us(duration * 1000)

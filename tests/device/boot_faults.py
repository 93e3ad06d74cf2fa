"""On MicroPython, in place of main.py: the firmware on a board where BLUERING_FAULT fails.

i2s-start, i2s-later, ring: hardware refuses; memory: a start finds no room; i2s-memory: the
microphone finds none when it is switched on later; base, make: what is before the loop is broken.
"""

import os

import machine
import neopixel

from ear import boot

fault = os.getenv("BLUERING_FAULT")
opened = 0


class I2S(machine.I2S):
    """A bus that doesn't always come."""

    def __init__(self, *arguments, **options):
        global opened
        opened += 1
        if fault == "i2s-start" or (fault == "i2s-later" and 2 < opened < 5):
            raise OSError(257, "ESP_ERR_NO_MEM")
        if fault == "i2s-memory" and 2 < opened < 5:
            raise MemoryError("memory allocation failed, allocating 2048 bytes")
        super().__init__(*arguments, **options)


def write(*_):
    """The chain can't be written."""
    raise OSError(257, "ESP_ERR_NO_MEM")


def fail(*_):
    """Broken on purpose."""
    if fault == "memory":
        raise MemoryError("memory allocation failed, allocating 38516 bytes")
    raise ValueError("broken on purpose")


machine.I2S = I2S
if fault == "ring":
    neopixel.NeoPixel.write = machine.SoftSPI.write = write
elif fault == "memory":
    from ear.spotter import files

    files.read = fail
elif fault == "make":
    from ear import start

    start.make = fail
elif fault == "base":
    from ear import base

    base.Base = fail
boot.main()

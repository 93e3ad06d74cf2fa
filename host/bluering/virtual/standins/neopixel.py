"""Stands in for ``neopixel`` on the virtual board: the bytes go to the runner."""

import wires


class NeoPixel:
    """A chain of LEDs; ``buf`` holds the bytes as they go over the wire."""

    def __init__(self, pin, n, bpp=3, timing=1):
        self.buf = bytearray(n * bpp)

    def write(self):
        wires.show_light(self.buf)

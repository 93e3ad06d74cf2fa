"""Stands in for ``neopixel``: what is written goes nowhere, by a builtin."""


class NeoPixel:
    def __init__(self, pin, n, bpp=3, timing=1):
        self.buf = bytearray(n * bpp)
        self.write = "".isdigit

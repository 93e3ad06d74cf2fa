"""Stands in for ``neopixel`` on the virtual board: the bytes go to the runner."""

import wires

try:
    import chip_pool  # the runtime that has the chip's memory
except ImportError:
    chip_pool = None

_RMT = 1024  # what a channel, its encoder and its queue take while a write lasts


class NeoPixel:
    """A chain of LEDs; ``buf`` holds the bytes as they go over the wire."""

    def __init__(self, pin, n, bpp=3, timing=1):
        self.buf = bytearray(n * bpp)

    def write(self):
        if chip_pool:
            chip_pool.dma_free(chip_pool.dma_alloc(_RMT))
        wires.show_light(self.buf)

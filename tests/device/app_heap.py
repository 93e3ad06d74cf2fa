"""On MicroPython, in place of main.py: the whole application with the heap locked."""

import gc

import micropython

from ear import app

HOPS = 10000

parts = app.Parts()
device = app.App(parts)
device.start()


def listen():
    """Whether the heap is the same to the byte after all hops."""
    hops = HOPS
    before = gc.mem_free()
    micropython.heap_lock()
    while hops:
        device.hop()
        hops -= 1
    micropython.heap_unlock()
    return gc.mem_free() == before


assert listen(), "the heap was locked, and yet it changed"
assert device.heard() == HOPS
app.take_leave(parts, app.ENDED)

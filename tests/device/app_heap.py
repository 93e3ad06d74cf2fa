"""On MicroPython, in place of main.py: the whole application with the heap locked."""

import gc

import micropython

from ear import app
from ear.spotter import words

HOPS = 10000

board, light, link = app.open_parts()
device = app.App(board, light, link, words.load())
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
device.stop(f"{device.hops()} hops")

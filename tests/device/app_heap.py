"""On MicroPython, in place of main.py: the whole application with the heap locked."""

import gc

import micropython

from ear import start
from ear.base import Base
from ear.halt import take_leave

HOPS = 10000

base = Base()
base.load_settings()
device = start.make(base)
device.start()


def listen():
    """Whether the heap is the same to the byte after all hops."""
    before = gc.mem_free()
    micropython.heap_lock()
    while device.heard() < HOPS:
        device.cycle()
        device.listen()
        device.record()
    micropython.heap_unlock()
    return gc.mem_free() == before


assert listen(), "the heap was locked, and yet it changed"
assert HOPS <= device.heard() < HOPS + 102
take_leave(base, "the sound ended")

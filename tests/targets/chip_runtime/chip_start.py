"""How a program on the model of the chip's memory begins."""

import builtins
import gc
import json
import os
import sys
from array import array

import chip_pool

_STANDINS = sys.path[1]  # where VirtualBoard puts them
_DEPTH = 32  # of imports within imports


def begin():
    """From here on there is the chip's memory; the stand-ins for hardware lie outside it.

    What is in use is written into the file memory.json, a line of JSON each: what was done, how
    much of that was its own, then as ``chip_board.Use`` names it. It gets a line for the prompt,
    and with BLUERING_POOL_IMPORTS for each module; and each BLUERING_POOL_WATCH reads of the
    microphone.
    """
    for name in sorted(os.listdir(_STANDINS)):
        if name.endswith(".py"):
            __import__(name[:-3])
    every = int(os.getenv("BLUERING_POOL_WATCH") or 0)
    if every:
        import machine

        machine.I2S.readinto = _watched(machine.I2S.readinto, every)
    if os.getenv("BLUERING_POOL_IMPORTS"):
        builtins.__import__ = _measured(__import__)
    chip_pool.begin()
    heap = _heap()
    _tell("prompt", heap[0], heap)


def _heap():
    gc.collect()
    return chip_pool.heap()


def _tell(name, own, heap):
    line = [name, own]
    line += heap
    line += chip_pool.free(), chip_pool.largest(), chip_pool.exec_bytes()
    with open("memory.json", "a") as file:
        file.write(json.dumps(line) + "\n")


def _watched(readinto, every):
    left = every

    def call(i2s, buffer):
        nonlocal left
        left -= 1
        if not left:
            left = every
            _tell("read", 0, _heap())
        return readinto(i2s, buffer)

    return call


def _measured(real):
    inner = array("i", [0] * _DEPTH)  # bytes of the modules that those being imported import
    depth = 0

    def call(*arguments):
        nonlocal depth
        name = arguments[0]
        if name in sys.modules:
            return real(*arguments)
        before = _heap()[0]
        depth += 1
        inner[depth] = 0
        try:
            return real(*arguments)
        finally:
            heap = _heap()
            took = heap[0] - before
            depth -= 1
            inner[depth] += took
            if name in sys.modules:
                _tell(name, took - inner[depth + 1], heap)

    return call

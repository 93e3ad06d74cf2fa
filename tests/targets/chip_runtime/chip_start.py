"""How a program on the model of the chip's memory begins."""

import gc
import json
import os

import chip_pool

_STANDINS = ("esp32", "machine", "neopixel", "time")


def begin():
    """From here on there is the chip's memory; the stand-ins for hardware lie outside it.

    Each ``BLUERING_POOL_WATCH`` hops of sound, the file memory.json gets a line, after a
    collection: bytes of the heap in use, of its areas, of its largest free run; bytes of the pool
    free, in its largest free block, of executable code.
    """
    for name in _STANDINS:
        __import__(name)
    every = int(os.getenv("BLUERING_POOL_WATCH") or 0)
    if every:
        import machine

        machine.I2S.readinto = _watched(machine.I2S.readinto, every)
    chip_pool.begin()


def _watched(readinto, every):
    left = every

    def call(i2s, buffer):
        nonlocal left
        left -= 1
        if not left:
            left = every
            gc.collect()
            rest = chip_pool.free(), chip_pool.largest(), chip_pool.exec_bytes()
            with open("memory.json", "a") as file:
                file.write(json.dumps(chip_pool.heap() + rest) + "\n")
        return readinto(i2s, buffer)

    return call

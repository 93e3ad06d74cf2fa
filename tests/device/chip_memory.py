"""On the model of the chip's memory, in place of main.py: growth, code and DMA out of one pool.

Regions as ``tests/virtual/test_chip_memory.py`` gives them: 190,000 bytes for all, 20,000 for heap
and DMA.
"""

import gc

import chip_pool
import chip_start
import machine
import neopixel

chip_start.begin()
STEP = 1000


def fails(function, *arguments):
    try:
        function(*arguments)
    except (OSError, MemoryError) as error:
        return error
    return None


def microphone(ibuf):
    pin = machine.Pin(0)
    return machine.I2S(0, sck=pin, ws=pin, sd=pin, mode=0, bits=16, format=0, rate=16000, ibuf=ibuf)


# A microphone takes descriptors of 2,048 bytes and gives them back.
before = chip_pool.free()
bus = microphone(20000)
taken = before - chip_pool.free()
assert 9 * 2048 < taken < 10 * 2048 + 1024, taken
bus.deinit()
assert chip_pool.free() == before

# The heap doubles, then takes the largest block that is left, rounded down to its size class.
held = []
while len(chip_pool.heap_areas()) < 3:
    held.append(bytearray(STEP))
first, second, third = chip_pool.heap_areas()
assert first == 64000
assert 63900 <= second <= 64000, second
assert third < second
assert chip_pool.largest() < 20000
error = None
while error is None:
    error = fails(lambda: held.append(bytearray(STEP)))
assert isinstance(error, MemoryError)
assert len(chip_pool.heap_areas()) == 4  # the smaller region too
used, total, run = chip_pool.heap()
assert total - used < 8 * STEP, (used, total)
assert run < STEP, run

# Nothing is left for DMA, and what failed half-way is given back.
left = chip_pool.free()
error = fails(microphone, 20000)
assert isinstance(error, OSError)
assert error.errno == 12, error
assert chip_pool.free() == left
rest = []
while fails(lambda: rest.append(chip_pool.dma_alloc(512))) is None:
    pass
error = fails(neopixel.NeoPixel(None, 12).write)
assert isinstance(error, OSError), error
for block in rest:
    chip_pool.dma_free(block)

# Empty areas go back to the pool with a collection; executable memory has its region.
used = chip_pool.heap()[0]
held = None
gc.collect()
assert chip_pool.heap()[0] < used - 190 * STEP
assert chip_pool.free() > left + 20000
code, free = chip_pool.exec_bytes(), chip_pool.free()
exec("import micropython\n@micropython.viper\ndef twice(a: int) -> int:\n    return 2 * a\n")
assert globals()["twice"](21) == 42
assert chip_pool.exec_bytes() > code
assert chip_pool.free() <= free - (chip_pool.exec_bytes() - code)

"""Stands in for ``machine`` on the virtual board: I2S, Pin, SoftSPI and what start-up calls."""

import os
import sys

import micropython
import utime
import wires

from ear.audio.format import HOP, RATE

try:
    import chip_pool  # the runtime that has the chip's memory
except ImportError:
    chip_pool = None

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
_CAUSES = {"power": PWRON_RESET, "reset": HARD_RESET, "watchdog": WDT_RESET}
_RESET_CODE = 85  # the runner starts the firmware again when it ends with this

_BYTES_PER_HOP = 2 * HOP
_I2S_FRAME_BYTES = 8  # as in the ESP32's DMA: 32-bit stereo, whatever is read
_DMA_BUFFER = 2048  # 256 frames
_DMA_DESCRIPTOR = 16
_I2S_DRIVER = 1024  # what the driver takes for itself


class Pin:
    """A pin: an input reads what the runner set, an output only keeps its number."""

    IN = 0
    OUT = 1
    PULL_UP = 2

    def __init__(self, number, mode=IN, pull=None, value=None):
        self.number = number

    def value(self):
        return wires.level(self.number)


@micropython.viper
def _widen(hop: ptr16, words: ptr16, at: int, shift: int):
    """Turn a hop of 16-bit samples into the 32-bit ones, from ``words[at]`` on, that ``shift``
    brings back bit for bit."""
    place = 0
    while place < 160:
        sample = (hop[place] ^ 32768) - 32768
        words[2 * (at + place)] = (sample << shift) & 65535
        words[2 * (at + place) + 1] = (sample >> (16 - shift)) & 65535
        place += 1


def _take_dma(ibuf):
    """Take what a receiving I2S bus takes of the memory that DMA reaches.

    Raises OSError(ENOMEM, "ESP_ERR_NO_MEM") where it isn't there, leaving it as it was.
    """
    taken = []
    try:
        taken.append(chip_pool.dma_alloc(_I2S_DRIVER))
        for _ in range(max(2, ibuf // _DMA_BUFFER)):
            taken.append(chip_pool.dma_alloc(_DMA_DESCRIPTOR))
            taken.append(chip_pool.dma_alloc(_DMA_BUFFER))
    except OSError:
        _give_back(taken)
        raise
    return taken


def _give_back(taken):
    while taken:
        chip_pool.dma_free(taken.pop())


class I2S:
    """A microphone on the runner's sound pipe: 16 kHz, mono, 16 or 32 bits.

    In 32 bits a sample lies where the board's table expects it. In real time a hop is due every
    10 ms; when the reader is later than ``ibuf`` allows, the oldest sound is thrown away without
    a word, as the DMA does.
    """

    RX = 0
    MONO = 0

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if bits not in (16, 32) or rate != RATE or mode != I2S.RX or format != I2S.MONO:
            raise ValueError("the virtual microphone is 16 kHz, 16 or 32 bits, mono")
        self._taken = _take_dma(ibuf) if chip_pool else []
        self._hop = bytearray(_BYTES_PER_HOP) if bits == 32 else None
        self._shift = _table()["mic_shift"] if bits == 32 else 0
        self._capacity_hops = ibuf // _I2S_FRAME_BYTES * 2 // _BYTES_PER_HOP
        self._due = utime.ticks_us()
        self._dropped = bytearray(_BYTES_PER_HOP)

    def readinto(self, buffer):
        if self._hop is None:
            return self._read(buffer)
        if len(buffer) % (2 * _BYTES_PER_HOP):
            raise ValueError("the virtual microphone is read in whole hops")
        at = 0
        while at < len(buffer):
            count = self._read(self._hop)
            if count < _BYTES_PER_HOP:
                break
            _widen(self._hop, buffer, at // 4, self._shift)
            at += 2 * count
        return at

    def _read(self, buffer):
        hops = len(buffer) // _BYTES_PER_HOP
        if not hops or len(buffer) % _BYTES_PER_HOP:
            raise ValueError("the virtual microphone is read in whole hops")
        if wires.FAST:
            return wires.read_sound(buffer, hops)
        called = utime.ticks_us()
        self._overflow(called)
        self._due = utime.ticks_add(self._due, hops * wires.HOP_US)
        wait = utime.ticks_diff(self._due, called)
        if wait > 0:
            utime.sleep_us(wait)
        count = wires.read_sound(buffer, hops)
        late = utime.ticks_diff(utime.ticks_us(), self._due)
        if wait > 0 and late > wires.HOP_US:
            # The reader was in time and the source was not: the source sets the pace.
            self._due = utime.ticks_add(self._due, late)
        return count

    def _overflow(self, now):
        held = utime.ticks_diff(now, self._due) // wires.HOP_US
        while held > self._capacity_hops:
            wires.read_sound(self._dropped, 1)
            self._due = utime.ticks_add(self._due, wires.HOP_US)
            held -= 1

    def deinit(self):
        _give_back(self._taken)


def _table():
    from board_table import BOARD

    return BOARD


class SoftSPI:
    """Carries APA102 frames to the runner."""

    def __init__(self, *, sck, mosi, miso):
        pass

    def write(self, data):
        wires.show_light(data)


def freq(hertz=None):
    """The computer's clock stays as it is."""
    return 240_000_000


def reset():
    """Start again, by way of the runner."""
    sys.exit(_RESET_CODE)


def reset_cause():
    """Why the firmware was started."""
    return _CAUSES[os.getenv("BLUERING_RESET_CAUSE")]


class WDT:
    """The watchdog: once made, it wants to be fed for ever."""

    def __init__(self, *, timeout):
        self._timeout = timeout
        self.feed()

    def feed(self):
        wires.beat(self._timeout)

"""The LEDs behind the ring, as the board's table names them.

A driver has ``write(pixels)``, red, green and blue for each LED, and ``write_again()``.
"""

from machine import Pin


class Ws2812:
    """A chain of WS2812 LEDs; ``order`` gives the places of red, green and blue on the wire."""

    def __init__(self, table):
        from neopixel import NeoPixel

        self._order = table["led_order"]
        self._count = table["led_count"]
        self._chain = NeoPixel(Pin(table["led_pin"], Pin.OUT), self._count)

    def write(self, pixels):
        """Show ``pixels``; blocks for 30 us an LED."""
        _reorder(pixels, self._chain.buf, 3, 0, self._order, self._count)
        self._chain.write()

    def write_again(self):
        """Show the last pixels once more."""
        self._chain.write()


class Apa102:
    """A chain of APA102 LEDs, clocked by hand: frames of 0xE0 + brightness, then 3 colours."""

    def __init__(self, table):
        from machine import SoftSPI

        self._order = table["led_order"]
        self._count = table["led_count"]
        pin = Pin(table["led_pin"])
        self._spi = SoftSPI(sck=Pin(table["led_clock"]), mosi=pin, miso=Pin(table["led_pin"]))
        # Start frame of zeros, one word for each LED at full brightness, end frame of ones.
        self._frame = bytearray(4 + 4 * self._count + 4)
        for led in range(self._count):
            self._frame[4 + 4 * led] = 0xFF
        for byte in range(4):
            self._frame[-1 - byte] = 0xFF

    def write(self, pixels):
        """Show ``pixels``."""
        _reorder(pixels, self._frame, 4, 5, self._order, self._count)
        self._spi.write(self._frame)

    def write_again(self):
        """Show the last pixels once more."""
        self._spi.write(self._frame)


class NoLeds:
    """A board without a light."""

    def write(self, pixels):
        """Nothing to show on."""

    def write_again(self):
        """Nothing to show on."""


_DRIVERS = {"ws2812": Ws2812, "apa102": Apa102, "none": NoLeds}


def make_leds(table):
    """The driver of a board's table, its LEDs powered."""
    if table["led_power"] >= 0:
        Pin(table["led_power"], Pin.OUT, value=1)
    return _DRIVERS[table["led_kind"]](table)


def _reorder(pixels, wire, stride, start, order, count):
    led = 0
    while led < count:
        channel = 0
        while channel < 3:
            wire[start + stride * led + order[channel]] = pixels[3 * led + channel]
            channel += 1
        led += 1

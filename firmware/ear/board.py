"""The parts wired together as the board's table says.

The table (``board_table.py``, made on the host from boards/NAME.toml) holds everything in
which boards differ; there is nothing here about any board in particular.
"""

from machine import I2S, Pin

from ear.audio import mic


class Ws2812:
    """A chain of WS2812 LEDs; ``order`` gives the places of red, green and blue on the wire."""

    def __init__(self, table):
        from neopixel import NeoPixel

        self._order = table["led_order"]
        self._count = table["led_count"]
        self._chain = NeoPixel(Pin(table["led_pin"], Pin.OUT), self._count)

    def write(self, pixels):
        """Show ``pixels`` (red, green, blue for each LED); blocks for 30 us an LED."""
        _reorder(pixels, self._chain.buf, 3, 0, self._order, self._count)
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
        """Show ``pixels`` (red, green, blue for each LED)."""
        _reorder(pixels, self._frame, 4, 5, self._order, self._count)
        self._spi.write(self._frame)


class NoLeds:
    """A board without a light."""

    def write(self, pixels):
        """Nothing to show on."""


_LED_DRIVERS = {"ws2812": Ws2812, "apa102": Apa102, "none": NoLeds}


def _reorder(pixels, wire, stride, start, order, count):
    led = 0
    while led < count:
        channel = 0
        while channel < 3:
            wire[start + stride * led + order[channel]] = pixels[3 * led + channel]
            channel += 1
        led += 1


class Board:
    """The hardware behind the ear: microphone, LEDs and switches of one board table.

    ``kernels``: the microphone's, viper's if there are none.
    """

    def __init__(self, table, kernels=None):
        self.name = table["name"]
        self.led_count = table["led_count"]
        self.led_limit = table["led_limit"]
        self.led_night = table["led_night"]
        self._table = table
        if table["led_power"] >= 0:
            Pin(table["led_power"], Pin.OUT, value=1)
        self.leds = _LED_DRIVERS[table["led_kind"]](table)
        self.microphone = mic.Microphone(
            self._open_i2s, table["mic_bits"], table["mic_shift"], table["mic_ibuf"], kernels
        )
        self._mute = self._switch("mute_pin")
        self._mute_active = table["mute_active"]
        self._button = self._switch("button_pin")
        self._button_active = table["button_active"]

    def _open_i2s(self):
        table = self._table
        return I2S(
            table["mic_id"],
            sck=Pin(table["mic_sck"]),
            ws=Pin(table["mic_ws"]),
            sd=Pin(table["mic_sd"]),
            mode=I2S.RX,
            bits=table["mic_bits"],
            format=I2S.MONO,
            rate=mic.RATE,
            ibuf=table["mic_ibuf"],
        )

    def _switch(self, key):
        number = self._table[key]
        return None if number < 0 else Pin(number, Pin.IN, Pin.PULL_UP)

    def muted(self):
        """Whether the mute switch is on; always False on a board without one."""
        return self._mute is not None and self._mute.value() == self._mute_active

    def pressed(self):
        """Whether the button is held; always False on a board without one."""
        return self._button is not None and self._button.value() == self._button_active

"""Microphone and switches, wired as the board's table says.

The table (``board_table.py``, made on the host from boards/NAME.toml) holds everything in
which boards differ; there is nothing here about any board in particular.
"""

from machine import I2S, Pin

from ear.audio import mic


class Board:
    """The hardware that hears and is pressed, of one board table.

    ``kernels``: the microphone's, viper's if there are none.
    """

    def __init__(self, table, kernels=None):
        self.led_limit = table["led_limit"]
        self.led_night = table["led_night"]
        self.ibuf = table["mic_ibuf"]
        self._table = table
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

    def levels(self):
        """Of the mute switch and the button, as one number: it changes when either is moved."""
        level = 0
        if self._mute is not None:
            level = self._mute.value()
        if self._button is not None:
            level |= self._button.value() << 1
        return level

    def muted(self):
        """Whether the mute switch is on; always False on a board without one."""
        return self._mute is not None and self._mute.value() == self._mute_active

    def pressed(self):
        """Whether the button is held; always False on a board without one."""
        return self._button is not None and self._button.value() == self._button_active

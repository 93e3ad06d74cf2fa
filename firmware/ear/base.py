"""What every state of the device has, also one that couldn't start: light, link and settings."""

import machine
import micropython
from board_table import BOARD

from ear import ring
from ear.leds import make_leds

WARNING = 1  # indices into messages.SEVERITIES
ERROR = 2
_CPU_HZ = 240_000_000


class Base:
    """The light is made first, so that there is one while the rest starts; the link when it is
    first asked for, since a small memory wants what is larger before it.

    settings: None until they were loaded; notes: (severity, code, text) of what is to be told once
    there is somebody to tell; kernels: what is told of the native kernels.
    """

    def __init__(self):
        machine.freq(_CPU_HZ)
        # The link's bytes include 3, which would be Ctrl-C.
        micropython.kbd_intr(-1)
        self.name = BOARD["name"]
        self.led_count = BOARD["led_count"]
        self.light = ring.Ring(make_leds(BOARD), self.led_count, BOARD["led_limit"])
        self.show(ring.STARTING)
        self.kernels = ""
        self.settings = None
        self.notes = []
        self._link = None

    @property
    def link(self):
        """The device's end of the link."""
        if self._link is None:
            from ear.link.endpoint import Link

            self._link = Link(BOARD["link_rate"])
        return self._link

    def load_settings(self):
        """Read the owner's settings; the defaults hold where they can't be used."""
        from ear.settings import Settings

        self.settings = Settings()
        fault = self.settings.load()
        if fault:
            self.notes.append((ERROR, "settings", fault))

    def show(self, state):
        """Show what nothing depends on: a ring that can't be written stops neither start nor end.

        False when it couldn't.
        """
        try:
            self.light.show(state)
        except OSError:
            return False
        return True

"""What records: it is there while the owner allows it, and gives its memory back afterwards."""

import gc
import os

import esp32

_NVS = "bluering"
_SLOTS = 4  # messages of a recording that can wait for the link
_TIGHT = 256 << 10  # bytes free, above which a recording's garbage fits many times
_PRE_ROLL_SLOTS = 13  # with the half second before it, which is there at once


class Equipment:
    """Makes what records, and gives it to the shell.

    ``false_wakes`` is there on every device that is provisioned. ``overdue``: the settings were
    changed during a recording, and it is to be looked again.
    """

    def __init__(self, base, kernels):
        """``kernels``: those that encode sound."""
        from ear.privacy.identity import Identity, UnprovisionedError

        self.false_wakes = None
        self.overdue = False
        self._base = base
        self._kernels = kernels
        self._slots = 0
        try:
            self._identity = Identity(esp32.NVS(_NVS))
        except UnprovisionedError:
            self._identity = None
            return
        from ear.privacy.false_wakes import FalseWakes

        self.false_wakes = FalseWakes(self._identity, base.link.out)

    def provide(self, shell, settings):
        """Give the shell what the settings want it to have. Raises MemoryError; then nothing can
        be recorded."""
        self.overdue = shell.busy()
        if self.overdue:
            return
        # Without a light to say so, and without a key, nothing is ever recorded.
        able = self._identity is not None and self._base.led_count
        wanted = able and settings.get("record")
        before = wanted and settings.get("pre_roll")
        slots = (_PRE_ROLL_SLOTS if before else _SLOTS) if wanted else 0
        if slots == self._slots:
            return
        self._slots = 0
        shell.equip(None, None)
        gc.collect()
        tight = gc.mem_free() < _TIGHT
        pre_roll = recorder = None
        if before:
            from ear.privacy.preroll import PreRoll

            pre_roll = PreRoll()
        if wanted:
            recorder = self._recorder(slots, gc.collect if tight else None)
        shell.equip(recorder, pre_roll)
        self._slots = slots

    def _recorder(self, slots, collect):
        from ear.privacy import codecs
        from ear.privacy.cipher import Cipher
        from ear.privacy.recorder import Recorder

        encoder = codecs.Encoder(self._kernels)
        cipher = Cipher(codecs.CAPACITY)
        out = self._base.link.out
        return Recorder(self._identity, encoder, cipher, out, slots, os.urandom, collect)

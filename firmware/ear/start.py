"""Starting: everything is made here, in the order that a small memory needs.

A chip without PSRAM has one pool of internal memory, out of which the heap of Python grows and
never shrinks; machine code and the microphone's DMA buffers come from what it leaves, and a model
needs one piece. So what can't be moved or cut comes first: machine code, DMA, models, then the
rest. docs/memory.md has the bytes.
"""

import gc
import os
import sys

import esp32
from board_table import BOARD

from ear import native, ring
from ear.base import WARNING
from ear.board import Board
from ear.spotter import words as spotter_words
from ear.spotter.model import ModelError

_LARGEST = 1 << 16  # bytes: no more in one piece is told apart, and no less than this
_SMALLEST = 1 << 8
_NVS = "bluering"
_SLOTS = 4  # messages of a recording that can wait for the link
_PRE_ROLL_SLOTS = 13  # with the half second before it, which is there at once


class StartError(Exception):
    """The device can't listen: the light that says so, a code and the reason."""

    def __init__(self, state, code, text):
        super().__init__(text)
        self.state = state
        self.code = code
        self.text = text


def make(base):
    """The application, ready to run. Raises StartError."""
    made = []  # what there is when memory ends, so that what is told of it is true
    try:
        return _make(base, made)
    except ModelError as error:
        raise StartError(ring.ERROR_MODEL, "model", str(error))
    except MemoryError as error:
        raise StartError(ring.ERROR_MEMORY, "memory", memory_left(error))
    except OSError as error:
        raise StartError(ring.ERROR_MICROPHONE, "microphone", f"I2S can't start: {error}")


def _make(base, made):
    kernels = native.load()
    base.kernels = kernels.told()
    if kernels.suited and kernels.reasons:
        base.notes.append((WARNING, "native", "; ".join(kernels.reasons)))
    board = Board(BOARD, kernels.mic)
    made += (kernels, board)
    microphone = board.microphone
    microphone.start()  # its buffers; nothing is read
    words = spotter_words.load(base.settings, kernels.spotter, made)
    forget("ear.spotter.format")
    from ear.audio.frontend import FrontEnd

    frontend = FrontEnd(kernels.frontend)
    made.append(frontend)
    forget("ear.audio.frontend_tables")
    from ear.app import App

    app = App(base, board, words, frontend, Recording(base, kernels.adpcm))
    microphone.stop()  # until the gate opens it
    gc.collect()
    return app


def memory_left(error):
    """What a MemoryError says, with what there is: bytes free, and the largest in one piece."""
    gc.collect()
    free = gc.mem_free()
    low, high = 0, _LARGEST
    while high - low > _SMALLEST:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    return f"{error}; {free} bytes are free, {low} of them in one piece"


def forget(name):
    """Let go of a module that isn't needed any more."""
    package, _, module = name.rpartition(".")
    sys.modules.pop(name, None)
    holder = sys.modules.get(package)
    if holder is not None and hasattr(holder, module):
        delattr(holder, module)


class Recording:
    """Makes what records while the owner allows it, and gives its memory back afterwards.

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
        pre_roll = recorder = None
        if before:
            from ear.privacy.preroll import PreRoll

            pre_roll = PreRoll()
        if wanted:
            recorder = self._recorder(slots)
        shell.equip(recorder, pre_roll)
        self._slots = slots

    def _recorder(self, slots):
        from ear.privacy import codecs
        from ear.privacy.cipher import Cipher
        from ear.privacy.recorder import Recorder

        encoder = codecs.Encoder(self._kernels)
        cipher = Cipher(codecs.CAPACITY)
        return Recorder(self._identity, encoder, cipher, self._base.link.out, slots, os.urandom)

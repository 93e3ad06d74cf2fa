"""Starting: everything is made here, in the order that a small memory needs.

A chip without PSRAM has one pool of internal memory, out of which the heap of Python grows and
never shrinks; machine code and the microphone's DMA buffers come from what it leaves, and a model
needs one piece. So what can't be moved or cut comes first: machine code, DMA, models, then the
rest. docs/memory.md has the bytes.
"""

import gc
import sys

from board_table import BOARD

from ear import ring
from ear.base import WARNING
from ear.spotter import files
from ear.spotter.errors import ModelError

# Kept free in one piece while all that is small is scattered over the heap: the half second before
# a wake needs as much when the owner allows it.
_ROOM = 18 << 10


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
        from ear import memory

        raise StartError(ring.ERROR_MEMORY, "memory", memory.heap_left(error))
    except OSError as error:
        from ear import memory

        text = memory.internal_left(error, BOARD["mic_ibuf"])
        raise StartError(ring.ERROR_MICROPHONE, "microphone", f"I2S can't start: {text}")


def _make(base, made):
    # Machine code, DMA, models: in this order, and nothing large before them.
    from ear import native

    loading = native.Loading()
    _load_machine_code()
    from ear.board import Board

    board = Board(BOARD)
    microphone = board.microphone
    microphone.start()  # its buffers; nothing is read
    made += (loading, board)
    blobs = {}
    made.append(blobs)
    for name in files.wanted(base.settings):
        blobs[name] = files.read(name)
    made.append(base.link)

    kernels = loading.finish()
    gc.collect()  # the known-answer tests are over, and they were large
    room = bytearray(_ROOM)
    microphone.use(kernels.mic)
    base.link.out.use(kernels.link)
    base.kernels = kernels.told()
    if kernels.suited and kernels.reasons:
        base.notes.append((WARNING, "native", "; ".join(kernels.reasons)))
    from ear.audio.frontend import FrontEnd

    frontend = FrontEnd(kernels.frontend)
    forget("ear.audio.frontend_tables")
    made.append(frontend)
    from ear.spotter import words as spotter_words

    words = []
    made.append(words)
    for name in sorted(blobs):
        word = spotter_words.load(name, blobs[name], base.settings, kernels.spotter)
        words.append(word)
        gc.collect()  # or what stays of this word lies scattered over all that was free
    from ear.app import App
    from ear.privacy.equipment import Equipment

    app = App(base, board, words, frontend, Equipment(base, kernels.adpcm))
    kernels.settle()
    for module in (
        "ear.native",
        "ear.spotter.plan",
        "ear.spotter.format",
        "ear.start",
        "ear.memory",
    ):
        forget(module)
    microphone.stop()  # until the gate opens it
    made.clear()  # a place on the stack may hold the list for as long as the device runs
    del room
    gc.collect()
    return app


def _load_machine_code():
    """Viper's code of modules that are needed later: there may be no room for it then."""
    from ear.link import frame_kernels
    from ear.privacy import cipher_kernels, endpointer_kernels

    return frame_kernels, cipher_kernels, endpointer_kernels


def forget(name):
    """Let go of a module that isn't needed any more."""
    package, _, module = name.rpartition(".")
    sys.modules.pop(name, None)
    holder = sys.modules.get(package)
    if holder is not None and hasattr(holder, module):
        delattr(holder, module)

"""Runs the application's loop alone, for whoever counts instructions: see ``tests.bench.loop``.

Arguments: listen, speak (no probability is 0), record or mute; for how many hops. Says on standard
error how many it were, the gate's state at the end, how many gaps there were, and how many frames
were sealed, of how many bytes.
"""

import sys
from array import array

import free_kernels
from board_table import BOARD
from machine import CLOSED, pins
from uctypes import addressof

free_kernels.stub(
    (
        "ear.audio.frontend_kernels",
        "ear.audio.mic_kernels",
        "ear.privacy.adpcm_kernels",
        "ear.spotter.model_kernels",
    )
)
from ear import native, start
from ear.base import Base
from ear.link.frames import CRC_TABLE

_SETTLED = 102  # hops, after which the loop goes round and round
_LOUD = 200  # a feature of speech: a recording isn't ended by silence

_sealed = array("I", [0, 0])


def _place(buffer):
    return addressof(_sealed) if buffer is CRC_TABLE else 0


_finish = native.Loading.finish


def _stubbed(loading):
    made = _finish(loading)
    for kernels in (made.frontend, made.spotter, made.adpcm, made.mic):
        free_kernels.use(kernels)
        kernels.run_with(min, lambda _: (0, 0))
    # A frame must have a length: no builtin tells one. Where the table would be, it counts.
    made.link.use("seal", free_kernels.seal, _place)
    return made


native.Loading.finish = _stubbed


def go(app, hops):
    """For at least so many hops; returns how many it were."""
    began = app._clock.low
    while app._clock.low - began < hops:
        app.cycle()
        app.listen()
        app.record()
    return app._clock.low - began


def main(what, hops):
    base = Base()
    base.load_settings()
    app = start.make(base)
    app.start()
    features = app._frontend.features
    for index in range(len(features)):
        features[index] = _LOUD
    for word in app._words:
        word.model._table = bytes([what == "speak"] * 256)
    go(app, _SETTLED)
    if what == "record":
        app._woke(app._words[0], 0)
    elif what == "mute":
        pins[BOARD["mute_pin"]].value = CLOSED
        go(app, 2)
    done = go(app, hops)
    print(done, app._shell.state, app._microphone.gaps, *_sealed, file=sys.stderr)


main(sys.argv[1], int(sys.argv[2]))

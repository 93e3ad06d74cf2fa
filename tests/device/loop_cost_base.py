"""As ``loop_cost.py``, for an application that takes hop by hop and calls each kernel itself.

It is the one that ``tests.bench.loop`` compares with.
"""

import sys

import free_kernels
import micropython

free_kernels.stub(("ear.audio.frontend_kernels", "ear.spotter.model_kernels"))
from ear import app as ear_app
from ear import native
from ear.audio import mic_kernels

_SETTLED = 102
_LOUD = 200


@micropython.viper
def nothing(samples, codes, state, count):
    """Narrowing and ADPCM: they are given buffers, which no builtin takes so cheaply."""


mic_kernels.narrow = nothing
_load = native.load


def _stubbed():
    made = _load()
    for kernels in (made.frontend, made.spotter):
        free_kernels.use(kernels)
    made.adpcm.encode = nothing
    return made


native.load = _stubbed


def go(app, hops):
    began = app._clock.low
    while app._clock.low - began < hops:
        app.hop()
    return app._clock.low - began


def main(what, hops):
    parts = ear_app.Parts()
    app = ear_app.App(parts)
    app.start()
    features = app._frontend.features
    for index in range(len(features)):
        features[index] = _LOUD
    for word in app._words:
        word.model._table = bytes([what == "speak"] * 256)
    go(app, _SETTLED)
    if what == "record":
        app._woke(0)
    done = go(app, hops)
    print(done, app._shell.state, app._board.microphone.gaps, file=sys.stderr)


main(sys.argv[1], int(sys.argv[2]))

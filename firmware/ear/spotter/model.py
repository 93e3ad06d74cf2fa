"""Runs a compiled model: rows of features in, a probability every ``stride`` rows."""

import struct

from ear.kernels import Kernels
from ear.sequence import INPUT
from ear.spotter import model_kernels
from ear.spotter.format import (
    ADD,
    CONV,
    DEPTHWISE,
    REGIONS,
    ModelError,
    read_header,
    read_layers,
    read_regions,
)

__all__ = ("Model", "ModelError")

_KERNELS = {CONV: "conv", DEPTHWISE: "depthwise", ADD: "add"}


class Model:
    """A streaming model with its state; everything is allocated here, nothing in ``push``."""

    def __init__(self, blob, kernels=None):
        """``blob``: the compiled model as bytes, which stay in use; ``kernels``: the spotter's,
        native ones among them, viper's if there are none.

        Raises ModelError with the reason when it is truncated, corrupt or of another version.
        """
        header = read_header(blob)
        self.stride = header.stride  # rows a step
        self.source_sha256 = header.source_sha256
        self.probability = 0
        self._row = header.row
        self._phase = 0
        self._arena = bytearray(header.arena)
        self._output = header.output
        self._regions = read_regions(blob, header)
        kernels = kernels or Kernels(model_kernels)
        self._place, self._transfer = kernels.place, kernels.transfer
        self._file, arena = blob, self._arena
        self._table = memoryview(blob)[header.table :]
        pitch = header.input_pitch
        rows = range(header.input, header.input + header.stride * pitch, pitch)
        self._rows = [kernels.place(arena, row) for row in rows]
        self._features = None
        self._source = None  # what the kernels take for the newest row
        self.kernels = kernels
        self._layers = []  # the kernels' calls
        for layer in read_layers(blob, header):
            self._layers += _calls(layer, blob, arena, kernels)
        moves = kernels.place(blob, REGIONS)
        self._layers.append((kernels.shift, (kernels.place(arena), moves, len(self._regions))))
        step = [self.take_call(INPUT, self.stride - 1)]
        step += self._layers
        self._sequence = kernels.sequence(step)
        self.reset()

    def take_call(self, source, phase):
        """The call that takes a step's row number ``phase`` from the place ``source``."""
        return self._transfer, (source, self._rows[phase], self._row)

    def step_calls(self):
        """The calls that make the step once its rows are there; ``finish`` follows."""
        return self._layers

    def finish(self):
        """The step's calls were made: take the probability out of their results."""
        # The logit is new in this step, so the shift of what is kept has left it where it was.
        self.probability = self._table[self._arena[self._output]]

    def push(self, features):
        """Take one row of features (int8 + 128); True when ``probability`` (0..255) is new."""
        if features is not self._features:
            self._take_from(features)
        phase = self._phase
        if phase + 1 < self.stride:
            self._transfer(self._source, self._rows[phase], self._row)
            self._phase = phase + 1
            return False
        self._phase = 0
        sequence = self._sequence
        sequence.run(sequence.program, self._source)
        self.finish()
        return True

    def _take_from(self, features):
        """Rows come in the same buffer again and again: look at it once."""
        if len(features) != self._row:
            raise ValueError(f"{len(features)} features, not {self._row}")
        self._source = self._place(features)
        self._features = features

    def reset(self):
        """Forget everything heard, as after loading."""
        self._phase = 0
        self.probability = 0
        arena = self._arena
        for region in self._regions:
            for index in range(region.offset, region.offset + region.keep + region.new):
                arena[index] = region.fill


def _calls(layer, file, arena, kernels):
    """The kernel calls of a layer: each the kernel and its arguments."""
    x = kernels.place(arena, layer.x)
    w = kernels.place(arena if layer.kind == ADD else file, layer.weights)
    y = kernels.place(arena, layer.y)
    name = _KERNELS[layer.kind]
    suits = _suits_vectors(layer, file, arena, kernels)
    kernel = getattr(kernels, name) if suits else kernels.viper(name)
    calls = [(kernel, (x, w, kernels.place(file, layer.parameters), y))]
    if (layer.lowest, layer.highest) != (0, 255):
        count = struct.unpack_from("<II", file, layer.parameters)[1]
        calls.append((kernels.clamp, (y, layer.lowest, layer.highest, count)))
    return calls


def _suits_vectors(layer, file, arena, kernels):
    """Whether a vector unit's kernel may run the layer: its rows are aligned, its sums short."""
    if not (kernels.aligned(arena, layer.x) and kernels.aligned(file, layer.weights)):
        return False
    if layer.kind != DEPTHWISE:
        return True
    pitch, _width, narrow = struct.unpack_from("<III", file, layer.parameters + 12)
    return pitch % 16 == 0 and narrow == 1

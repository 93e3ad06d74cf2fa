"""Runs a compiled model: rows of features in, a probability every ``stride`` rows."""

import struct

from ear.spotter import model_kernels as kernels
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

_KERNELS = {CONV: kernels.conv, DEPTHWISE: kernels.depthwise, ADD: kernels.add}


class Model:
    """A streaming model with its state; everything is allocated here, nothing in ``push``."""

    def __init__(self, blob):
        """``blob``: the compiled model as bytes, which stay in use.

        Raises ModelError with the reason when it is truncated, corrupt or of another version.
        """
        header = read_header(blob)
        self.stride = header.stride
        self.source_sha256 = header.source_sha256
        self.probability = 0
        self._row = header.row
        self._phase = 0
        self._arena = bytearray(header.arena)
        self._output = header.output
        self._regions = read_regions(blob, header)
        file, arena = memoryview(blob), memoryview(self._arena)
        self._table = file[header.table :]
        self._moves = file[REGIONS:]
        pitch = header.input_pitch
        self._rows = [arena[header.input + i * pitch :] for i in range(header.stride)]
        self._calls = []
        for layer in read_layers(blob, header):
            self._calls += _calls(layer, file, arena)
        self.reset()

    def push(self, features):
        """Take one row of features (int8 + 128); True when ``probability`` (0..255) is new."""
        if len(features) != self._row:
            raise ValueError(f"{len(features)} features, not {self._row}")
        kernels.transfer(features, self._rows[self._phase], self._row)
        self._phase += 1
        if self._phase < self.stride:
            return False
        self._phase = 0
        for kernel, x, w, p, y in self._calls:
            kernel(x, w, p, y)
        self.probability = self._table[self._arena[self._output]]
        kernels.shift(self._arena, self._moves, len(self._regions))
        return True

    def reset(self):
        """Forget everything heard, as after loading."""
        self._phase = 0
        self.probability = 0
        arena = self._arena
        for region in self._regions:
            for index in range(region.offset, region.offset + region.keep + region.new):
                arena[index] = region.fill


def _calls(layer, file, arena):
    """The kernel calls of a layer: each the kernel and its four arguments."""
    w = arena[layer.weights :] if layer.kind == ADD else file[layer.weights :]
    y = arena[layer.y :]
    calls = [(_KERNELS[layer.kind], arena[layer.x :], w, file[layer.parameters :], y)]
    if (layer.lowest, layer.highest) != (0, 255):
        count = struct.unpack_from("<II", file, layer.parameters)[1]
        calls.append((kernels.clamp, y, layer.lowest, layer.highest, count))
    return calls

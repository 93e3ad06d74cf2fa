"""Reads a compiled model: what it computes, as calls of kernels on an arena."""

import struct

from ear.spotter.format import (
    ADD,
    CONV,
    DEPTHWISE,
    REGIONS,
    read_header,
    read_layers,
    read_regions,
)

__all__ = ("calls", "read_header", "read_regions", "rows")

_KERNELS = {CONV: "conv", DEPTHWISE: "depthwise", ADD: "add"}


def rows(header, arena, kernels):
    """Where the rows of a step's features go, for the kernels."""
    pitch = header.input_pitch
    places = range(header.input, header.input + header.stride * pitch, pitch)
    return [kernels.place(arena, place) for place in places]


def calls(blob, header, arena, kernels):
    """The kernels' calls of a step whose rows are there: (kernel, arguments) each."""
    found = []
    for layer in read_layers(blob, header):
        found += _calls(layer, blob, arena, kernels)
    moves = kernels.place(blob, REGIONS)
    found.append((kernels.shift, (kernels.place(arena), moves, header.regions)))
    return found


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

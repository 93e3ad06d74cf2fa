"""Evaluates compiled models over whole recordings: the device's bits, many steps at a time.

A region holds the rows of a whole block of steps one after the other, so that a layer is one
matrix product (or, depthwise, one for each tap) for all of them. Sums are computed in single
precision where they stay below 2**24, in double precision otherwise: both are exact.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from bluering.models.compiled import (
    ADDEND_BIAS,
    OVERREAD,
    SUM_BIAS,
    CompiledModel,
    parse_compiled,
)
from ear.spotter import format as layout

_BLOCK = 512  # steps at a time: what they need fits a processor's cache
_EXACT_IN_SINGLE = 1 << 24
# Larger products would be spread over OpenBLAS's threads, which wait for each other longer than
# they work and take the cores from other processes.
_ONE_THREAD = 1 << 18


def scores(blob: bytes, features: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The probability (0..255) after each step of a compiled model, from switching on.

    ``features``: rows of 40, int8 + 128; rows at the end that fill no step are left out. Raises
    ModelError when the model is damaged.
    """
    return Reference(blob).push(features)


class Reference:
    """A compiled model and its state, for streams of any length in bounded memory."""

    def __init__(self, blob: bytes) -> None:
        """Raises ModelError when the model is damaged."""
        model = parse_compiled(blob)
        header = model.header
        self.stride: int = header.stride
        self._row: int = header.row
        self._regions = [_Region(region) for region in model.regions]
        self._input = _find(self._regions, header.input)
        self._input_at = header.input - self._input.offset, header.input_pitch
        self._layers = [_layer(model, layer, self._regions) for layer in model.layers]
        output = _find(self._regions, header.output)
        self._output = _Span(output, header.output - output.offset, 1)
        self._table = np.frombuffer(blob, np.uint8, 256, header.table)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        for region in self._regions:
            region.reset()
        self._waiting = np.empty((0, self._row), np.uint8)

    def push(self, features: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Take rows of features; the probability after each step that they complete."""
        rows = np.concatenate([self._waiting, features])
        steps = len(rows) // self.stride
        self._waiting = rows[steps * self.stride :].copy()
        rows = rows[: steps * self.stride].reshape(steps, self.stride, self._row)
        done = [self._run(rows[at : at + _BLOCK]) for at in range(0, steps, _BLOCK)]
        return np.concatenate(done) if done else np.empty(0, np.uint8)

    def _run(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        steps = len(rows)
        start, pitch = self._input_at
        for index in range(self.stride):
            _Span(self._input, start + index * pitch, self._row).view(steps)[:] = rows[:, index]
        for layer in self._layers:
            layer.run(steps)
        logits = self._output.view(steps)[:, 0].astype(np.intp)
        for region in self._regions:
            region.advance(steps)
        return self._table[logits]


class _Region:
    """The bytes of a region over a block of steps, as numbers: those kept, then each step's new
    ones. What step t sees begins at t * new."""

    def __init__(self, region: Any) -> None:
        self.offset, self.keep, self.new = region.offset, region.keep, region.new
        self._fill = region.fill
        self.memory = np.zeros(self.keep + _BLOCK * self.new + OVERREAD, np.float32)

    def reset(self) -> None:
        self.memory[:] = self._fill

    def advance(self, steps: int) -> None:
        used = steps * self.new
        self.memory[: self.keep] = self.memory[used : used + self.keep].copy()


def _find(regions: list[_Region], offset: int) -> _Region:
    """The region in which an offset in the arena lies."""
    return next(r for r in regions if r.offset <= offset < r.offset + r.keep + r.new)


@dataclass(frozen=True)
class _Span:
    """Some bytes in a row of what each step sees of a region."""

    region: _Region
    start: int
    size: int

    def view(self, steps: int) -> NDArray[np.float32]:
        """(steps, size) over the region's memory."""
        memory = self.region.memory
        strides = self.region.new * memory.itemsize, memory.itemsize
        return as_strided(memory[self.start :], (steps, self.size), strides)


def _span(regions: list[_Region], offset: int, size: int) -> _Span:
    region = _find(regions, offset)
    return _Span(region, offset - region.offset, size)


class _Requantization:
    """Sums of a block to outputs, as the device's kernels do it."""

    def __init__(self, model: CompiledModel, layer: Any, count: int) -> None:
        at = layer.parameters + 4 * layout.PARAMETERS
        records = model.words(at, count * layout.RECORD).reshape(count, -1).astype(np.int64)
        self.bias = records[:, 0] - SUM_BIAS
        self._zero_point = model.head(layer)[2] // 2
        self._multiplier = (records[:, 1] & 0x7FFF) | records[:, 1] >> 16 << 15
        self._shift = records[:, 2] + 32
        # Both roundings at once: half of the first one's unit, then half of the second one's.
        self._halves = (1 << 30) + (np.int64(1) << self._shift - 1)
        # How negative sums are rounded doesn't matter where they all become the lowest output.
        self._signed = layer.lowest < self._zero_point
        self._bounds = layer.lowest, layer.highest

    def apply(self, sums: NDArray[np.int64], y: NDArray[np.float32]) -> None:
        """Write the outputs of sums, bias included, which are used up."""
        sums *= self._multiplier
        if self._signed:  # halves go away from zero
            negative = sums + (1 << 30)
            negative >>= 63
            negative <<= 31
            sums += negative
        sums += self._halves
        sums >>= self._shift
        sums += self._zero_point
        np.clip(sums, *self._bounds, out=sums)
        y[:] = sums


class _Layer(Protocol):
    def run(self, steps: int) -> None:
        """Compute the outputs of all steps of a block."""
        ...


def _layer(model: CompiledModel, layer: Any, regions: list[_Region]) -> _Layer:
    kinds = {layout.CONV: _Convolution, layout.DEPTHWISE: _Depthwise, layout.ADD: _Addition}
    return kinds[layer.kind](model, layer, regions)


class _Convolution:
    def __init__(self, model: CompiledModel, layer: Any, regions: list[_Region]) -> None:
        depth, count, *_ = model.head(layer)
        weights = np.frombuffer(model.blob, np.uint8, count * depth, layer.weights)
        weights = weights.reshape(count, depth).T.astype(np.int64) - 128
        self._requantization = _Requantization(model, layer, count)
        dtype = _exact_type(weights, self._requantization.bias)
        self._weights = np.ascontiguousarray(weights, dtype)
        self._bias = self._requantization.bias.astype(dtype)
        self._x = _span(regions, layer.x, depth)
        self._y = _span(regions, layer.y, count)
        self._rows = max(1, _ONE_THREAD // weights.size)

    def run(self, steps: int) -> None:
        x = self._x.view(steps)
        if self._x.size > self._x.region.new or self._weights.dtype != x.dtype:
            x = x.astype(self._weights.dtype)  # rows overlap, which BLAS can't take
        sums = np.empty((steps, len(self._bias)), self._weights.dtype)
        for at in range(0, steps, self._rows):
            part = slice(at, at + self._rows)
            np.matmul(x[part], self._weights, out=sums[part])
        sums += self._bias
        self._requantization.apply(sums.astype(np.int64), self._y.view(steps))


class _Depthwise:
    def __init__(self, model: CompiledModel, layer: Any, regions: list[_Region]) -> None:
        taps, count, _, pitch, width, *_ = model.head(layer)
        weights = np.frombuffer(model.blob, np.uint8, taps * width, layer.weights)
        weights = weights.reshape(taps, width)[:, :count].astype(np.int64) - 128
        self._requantization = _Requantization(model, layer, count)
        dtype = _exact_type(weights, self._requantization.bias)
        self._weights = weights.astype(dtype)
        self._bias = self._requantization.bias.astype(dtype)
        self._x = [_span(regions, layer.x + tap * pitch, count) for tap in range(taps)]
        self._y = _span(regions, layer.y, count)

    def run(self, steps: int) -> None:
        sums = np.broadcast_to(self._bias, (steps, len(self._bias))).copy()
        product = np.empty_like(sums)
        for x, weights in zip(self._x, self._weights, strict=True):
            np.multiply(x.view(steps), weights, out=product)
            sums += product
        self._requantization.apply(sums.astype(np.int64), self._y.view(steps))


class _Addition:
    def __init__(self, model: CompiledModel, layer: Any, regions: list[_Region]) -> None:
        count = model.head(layer)[1]
        at = layer.parameters + 4 * (layout.PARAMETERS + layout.RECORD)
        self._tables = model.words(at, 512).reshape(2, 256).astype(np.int64) - ADDEND_BIAS
        self._requantization = _Requantization(model, layer, 1)
        self._inputs = _span(regions, layer.x, count), _span(regions, layer.weights, count)
        self._y = _span(regions, layer.y, count)

    def run(self, steps: int) -> None:
        a, b = (
            table[x.view(steps).astype(np.intp)]
            for table, x in zip(self._tables, self._inputs, strict=True)
        )
        self._requantization.apply(a + b, self._y.view(steps))


def _exact_type(weights: NDArray[np.int64], bias: NDArray[np.int64]) -> type[np.floating[Any]]:
    """The smallest float type in which all partial sums over bytes are exact."""
    reach = (np.abs(bias) + 255 * np.abs(weights).sum(0)).max()
    return np.float32 if reach < _EXACT_IN_SINGLE else np.float64

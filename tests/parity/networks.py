"""Streaming networks of shapes that the packaged models don't have, with random weights."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bluering.models.streaming_writer import Kernel, Scale, Signal, StreamingWriter


class RandomNetwork(StreamingWriter):
    """Adds layers with random weights; outputs are scaled so that most are in range."""

    def __init__(self, stride: int, seed: int) -> None:
        super().__init__(stride)
        self._random = np.random.default_rng(seed)

    def keep_all(self, x: Signal, rows: int) -> Signal:
        """As ``keep``, with a state that also holds the newest rows until the next step."""
        handle, kept = self._state(x, rows + x.rows)
        joined = self.join_rows(self.newest(kept, rows), x)
        self._graph.operator("ASSIGN_VARIABLE", [handle, joined.tensor], [])
        return joined

    def join_channels(self, parts: Sequence[Signal]) -> Signal:
        channels = sum(part.channels for part in parts)
        return self._concatenation(parts, 3, parts[0].rows, channels)

    def random_conv(
        self,
        x: Signal,
        outputs: int,
        rows: int,
        stride: int = 1,
        activation: str = "RELU",
        zero: int = -128,
        unit: float | None = None,
    ) -> Signal:
        kernel = self._kernel_of((outputs, rows, x.channels), outputs)
        scale = self._scale(x, kernel, rows * x.channels, zero)
        if unit is not None:
            kernel = replace(kernel, scales=kernel.scales * unit / scale.scale)
            scale = Scale(unit, zero)
        return self.conv(x, kernel, scale, stride=stride, activation=activation)

    def random_depthwise(
        self, x: Signal, rows: int, stride: int = 1, scale: Scale | None = None
    ) -> Signal:
        kernel = self._kernel_of((rows, x.channels), x.channels)
        return self.depthwise(x, kernel, scale or self._scale(x, kernel, rows, 3), stride=stride)

    def random_add(self, a: Signal, b: Signal, activation: str, zero: int) -> Signal:
        scale = Scale(0.8 * (a.scale.scale + b.scale.scale), zero)
        return self.add(a, b, scale, activation=activation)

    def random_dense(self, x: Signal, outputs: int, scales: int) -> Signal:
        kernel = self._kernel_of((outputs, x.rows, x.channels), scales)
        kernel = replace(kernel, bias=np.resize(kernel.bias, outputs))
        return self.dense(x, kernel, self._scale(x, kernel, x.rows * x.channels, 17))

    def close(self, x: Signal) -> bytes:
        """End with one output over all of ``x`` whose probability goes from 0 to 1."""
        kernel = self._kernel_of((1, x.rows, x.channels), 1)
        wanted = Scale(0.15, 11)
        given = self._scale(x, kernel, x.rows * x.channels, 0)
        kernel = replace(kernel, scales=kernel.scales * wanted.scale / given.scale)
        return self.finish(self.dense(x, kernel, wanted))

    def _kernel_of(self, shape: tuple[int, ...], outputs: int) -> Kernel:
        weights = self._random.integers(-127, 128, shape).astype(np.int8)
        scales = self._random.uniform(0.001, 0.004, outputs)
        bias = self._random.integers(-4000, 4000, outputs).astype(np.int32)
        return Kernel(weights, scales, bias)

    def _scale(self, x: Signal, kernel: Kernel, terms: int, zero: int) -> Scale:
        spread = x.scale.scale * kernel.scales.mean() * 73 * 90 * terms**0.5
        return Scale(float(spread / 50), zero)


def stride_1_odd_channels() -> bytes:
    net = RandomNetwork(1, seed=1)
    x = net.random_conv(net.keep(net.input, 2), 21, 3)
    x = net.random_depthwise(net.keep(x, 4), 5)
    x = net.random_conv(x, 13, 1)
    return net.close(net.keep(x, 3))


def stride_2_two_rows_a_step() -> bytes:
    """Two rows go through all layers; time is only joined at the end."""
    net = RandomNetwork(2, seed=2)
    x = net.random_conv(net.keep(net.input, 4), 16, 5)
    x = net.random_depthwise(net.keep(x, 6), 7)
    x = net.random_conv(x, 24, 1)
    x = net.random_conv(net.keep(x, 2), 8, 3, activation="NONE", zero=-20)
    return net.close(net.keep(x, 4))


def stride_3_mixed_and_residual() -> bytes:
    """Depthwise of several lengths on parts of the channels, and a residual sum."""
    net = RandomNetwork(3, seed=3)
    x = net.random_conv(net.keep(net.input, 2), 30, 5, stride=3)
    skip = net.random_conv(x, 20, 1, activation="NONE", zero=9)
    window = net.keep(x, 8)
    parts = net.split(window, (12, 10, 8))
    scale = Scale(window.scale.scale * 0.4, 5)
    mixed = [
        net.random_depthwise(net.newest(part, rows), rows, scale=scale)
        for part, rows in zip(parts, (3, 5, 9), strict=True)
    ]
    x = net.random_conv(net.join_channels(mixed), 20, 1, activation="NONE", zero=-4)
    x = net.random_add(x, skip, "RELU", -128)
    x = net.random_add(x, x, "NONE", -7)
    return net.close(net.keep(x, 5))


def stride_4_without_overlap() -> bytes:
    """The first layer has no state; a ReLU whose zero isn't the lowest number; wide layers."""
    net = RandomNetwork(4, seed=4)
    x = net.random_conv(net.input, 80, 3, stride=4, zero=-100)
    x = net.random_depthwise(net.keep(x, 22), 23)
    x = net.random_conv(x, 48, 1)
    return net.close(x)


def stride_2_whole_windows() -> bytes:
    """States that hold the newest rows too, as in older streaming models."""
    net = RandomNetwork(2, seed=5)
    x = net.random_conv(net.keep_all(net.input, 3), 18, 5, stride=2)
    x = net.random_depthwise(net.keep_all(x, 6), 7)
    x = net.random_conv(net.keep_all(x, 2), 11, 3)
    return net.close(net.keep_all(x, 5))


def stride_2_strided_depthwise_and_dense() -> bytes:
    """Depthwise layers and states that skip rows, bounded activations, several dense layers."""
    net = RandomNetwork(2, seed=6)
    x = net.random_conv(net.keep(net.input, 2), 40, 3, activation="RELU6", zero=-120, unit=0.04)
    x = net.random_depthwise(net.keep(x, 3), 5, stride=2)
    x = net.random_conv(x, 16, 1, activation="RELU_N1_TO_1", zero=4, unit=0.012)
    x = net.random_dense(net.keep(x, 4), 12, scales=12)
    x = net.random_dense(x, 7, scales=1)
    return net.close(x)


NETWORKS = (
    stride_1_odd_channels,
    stride_2_two_rows_a_step,
    stride_3_mixed_and_residual,
    stride_4_without_overlap,
    stride_2_whole_windows,
    stride_2_strided_depthwise_and_dense,
)

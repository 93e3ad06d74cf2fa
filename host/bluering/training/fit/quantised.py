"""The network with int8 in the loop and batch normalisation folded in, and its ``.tflite``.

Weights have a scale per output channel, activations one per layer, as in TensorFlow Lite's int8
scheme (Jacob et al., 2018). Gradients pass straight through rounding.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bluering.models.streaming_writer import Kernel, Scale, StreamingWriter
from bluering.training.fit.net import TEMPERATURE, Block, Net, in_time, scaled
from bluering.training.recipe import Network

LOGIT_SCALE = Scale(1 / 16, 0)  # -8 to 8: scores 0.018 to 0.982
_MOMENTUM = 0.02
_TAIL = 1e-4  # the share of values cut off at each end of an activation's range
_SAMPLED = 50_000  # values that a range is estimated from
_SMALLEST = 0.01  # the smallest range of a channel, relative to the layer's largest


@dataclass(frozen=True)
class Layer:
    """A layer's kind, without its weights."""

    kind: str  # first, depthwise, pointwise, head
    stride: int

    @property
    def relu(self) -> bool:
        return self.kind in ("first", "pointwise")


class QuantisedNet(nn.Module):
    """The same function as a trained Net, to fine-tune with int8 in the loop.

    `quantise` switches rounding on and off: without it, this is the float network. Once the ranges
    of activations are known, both saturate at their ends, like a clipped ReLU (PACT; Choi et al.,
    2018).
    """

    low: Tensor
    high: Tensor

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.shape: Network = net.shape
        self.stride, self.receptive = net.stride, net.receptive
        self.dropout = net.dropout.p
        self.quantise = True
        self.calibrating = True  # whether training updates the ranges of activations
        self.layers: list[Layer] = []
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        self._append("first", net.stride, *_folded(net.first.weight, net.first_norm))
        for block in net.blocks:
            assert isinstance(block, Block)
            convolution = block.depthwise.convolution
            assert convolution.bias is not None
            self.register_buffer(f"mask{len(self.layers)}", block.depthwise.mask)
            self._append("depthwise", 1, block.depthwise.weight, convolution.bias)
            self._append("pointwise", 1, *_folded(block.pointwise.weight, block.norm))
        assert net.head.bias is not None
        self._append("head", 1, net.head.weight, net.head.bias)
        self.register_buffer("low", torch.zeros(len(self.layers)))
        self.register_buffer("high", torch.zeros(len(self.layers)))

    def _append(self, kind: str, stride: int, weight: Tensor, bias: Tensor) -> None:
        self.register_buffer(f"shift{len(self.layers)}", torch.zeros(len(bias)))
        self.layers.append(Layer(kind, stride))
        self.weights.append(nn.Parameter(weight.detach().clone()))
        self.biases.append(nn.Parameter(bias.detach().clone()))

    def forward(self, rows: Tensor) -> Tensor:
        x = scaled(rows)
        for index, layer in enumerate(self.layers):
            if layer.kind == "head":
                x = functional.dropout(x, self.dropout, self.training)
            x = self._linear(index, x, self.quantise)
            if self.training and self.calibrating and layer.kind != "head":
                self._observe(index, x)
            x = self._activation(index, x, self.quantise)
        return x[:, 0, 0]

    def _linear(self, index: int, x: Tensor, int8: bool) -> Tensor:
        """A layer's convolution; int8: with rounded weights."""
        weight, bias = self._weight(index), self.biases[index]
        if int8:
            weight, bias = _rounded_weight(weight), self.corrected_bias(index)
        return in_time(x, weight, self.layers[index].stride, bias)

    def _activation(self, index: int, x: Tensor, int8: bool) -> Tensor:
        """A layer's output; int8: rounded."""
        if self.layers[index].kind == "head":
            return _rounded(x, LOGIT_SCALE) if int8 else x
        x = functional.relu(x) if self.layers[index].relu else x
        if int8:
            return _rounded(x, self.scale(index))
        return _saturated(x, self.scale(index)) if self.high[index] > 0 else x

    def corrected_bias(self, index: int) -> Tensor:
        """A layer's bias for rounded weights."""
        return self.biases[index] - getattr(self, f"shift{index}")

    @torch.no_grad()
    def equalise(self, rows: Tensor) -> None:
        """Bring a layer's channels, which share one scale, to similar ranges on features (n, rows,
        40). The next layer's weights undo it, so the function stays the same.

        Cross-layer equalisation (Nagel et al., 2019). The next layer has a scale per channel only
        if it is depthwise; otherwise channels are brought half of the way, as in SmoothQuant (Xiao
        et al., 2022). Call it before ranges are known.
        """
        x = scaled(rows)
        for index, following in enumerate(self.layers[1:]):
            x = self._activation(index, self._linear(index, x, False), False)
            largest = x.abs().transpose(0, 1).flatten(1)
            ranges = torch.quantile(_some(largest), 1 - _TAIL, dim=1)
            ranges = ranges.clamp(min=max(_SMALLEST * float(ranges.max()), 1e-6))
            depthwise = following.kind == "depthwise"
            gain = (ranges.max() / ranges) ** (1.0 if depthwise else 0.5)
            x *= gain[:, None, None]
            self.weights[index] *= gain[:, None, None]
            self.biases[index] *= gain
            self.weights[index + 1] /= gain.view((-1, 1, 1) if depthwise else (1, -1, 1))

    @torch.no_grad()
    def correct(self, rows: Tensor) -> None:
        """Subtract from the biases what rounding adds to each channel on average over features (n,
        rows, 40): bias correction (Nagel et al., 2019). The ranges must be known."""
        real = rounded = scaled(rows)
        for index in range(len(self.layers)):
            getattr(self, f"shift{index}").zero_()
            real, rounded = self._linear(index, real, False), self._linear(index, rounded, True)
            shift = (rounded - real).mean((0, 2, 3))
            getattr(self, f"shift{index}").copy_(shift)
            rounded = self._activation(index, rounded - shift[:, None, None], True)
            real = self._activation(index, real, False)

    def scale(self, index: int) -> Scale:
        """The scale of a layer's output."""
        low, high = float(self.low[index]), max(float(self.high[index]), 1e-3)
        step = (high - low) / 255
        return Scale(step, round(-128 - low / step))

    def _weight(self, index: int) -> Tensor:
        weight = self.weights[index]
        if self.layers[index].kind == "depthwise":
            weight = weight * getattr(self, f"mask{index}")
        return weight

    @torch.no_grad()
    def _observe(self, index: int, x: Tensor) -> None:
        values = _some(x.flatten())
        low = torch.zeros(()) if self.layers[index].relu else torch.quantile(values, _TAIL)
        high = torch.quantile(values, 1 - _TAIL)
        fresh = bool(self.high[index] == 0)
        share = 1.0 if fresh else _MOMENTUM
        self.low[index] += share * (torch.clamp(low, max=0.0) - self.low[index])
        self.high[index] += share * (torch.clamp(high, min=0.0) - self.high[index])


def write_tflite(net: QuantisedNet, description: str) -> bytes:
    """The streaming int8 network as a TensorFlow Lite model."""
    writer = StreamingWriter(net.stride, description)
    x = writer.input
    for index, layer in enumerate(net.layers):
        weight = net._weight(index).detach().numpy().astype(np.float64)
        rows = weight.shape[2]
        if rows > layer.stride:
            x = writer.keep(x, rows - layer.stride)
        kernel = _kernel(weight, net.corrected_bias(index).detach().numpy(), x.scale, layer)
        if layer.kind == "head":
            softened = replace(kernel, scales=kernel.scales / np.float32(TEMPERATURE))
            scale = Scale(LOGIT_SCALE.scale / TEMPERATURE, LOGIT_SCALE.zero_point)
            return writer.finish(writer.dense(x, softened, scale))
        if layer.kind == "depthwise":
            x = writer.depthwise(x, kernel, net.scale(index))
        else:
            x = writer.conv(x, kernel, net.scale(index), stride=layer.stride, activation="RELU")
    raise AssertionError("a network ends with its head")


def _kernel(weight: np.ndarray, bias: np.ndarray, input_scale: Scale, layer: Layer) -> Kernel:
    largest = np.abs(weight).max(axis=(1, 2), keepdims=True)
    scales = np.maximum(largest, 1e-8) / 127
    rounded = np.clip(np.rint(weight / scales), -127, 127).astype(np.int8)
    arranged = rounded[:, 0].T if layer.kind == "depthwise" else rounded.transpose(0, 2, 1)
    scales = scales.ravel().astype(np.float32)
    sums = np.rint(bias / (scales.astype(np.float64) * np.float32(input_scale.scale)))
    return Kernel(np.ascontiguousarray(arranged), scales, sums.astype(np.int32))


def _folded(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    assert norm.running_var is not None and norm.running_mean is not None
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * gain[:, None, None], norm.bias - norm.running_mean * gain


def _some(values: Tensor) -> Tensor:
    """About _SAMPLED values of the last dimension, evenly spaced."""
    return values[..., :: max(1, values.shape[-1] // _SAMPLED)]


def _rounded_weight(weight: Tensor) -> Tensor:
    scale = weight.detach().abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-8) / 127
    return weight + (torch.round(weight / scale) * scale - weight).detach()


def _rounded(x: Tensor, scale: Scale) -> Tensor:
    """Round, with a straight-through gradient inside the range and none outside."""
    inside = _saturated(x, scale)
    return inside + (torch.round(inside / scale.scale) * scale.scale - inside).detach()


def _saturated(x: Tensor, scale: Scale) -> Tensor:
    """Clamp to the range of int8."""
    return x.clamp((-128 - scale.zero_point) * scale.scale, (127 - scale.zero_point) * scale.scale)

"""The network: of microWakeWord's class of streaming networks, with every output supervised.

A strided convolution over features; blocks of a depthwise convolution in time, with groups of
channels of different kernel lengths (MixConv; Tan and Le, 2019), and a pointwise one; a convolution
over the last steps that gives one logit. No layer pads, so the outputs for a whole recording are
the same as those of one step after another.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bluering.models.streaming_writer import FEATURE_SCALE, FEATURES
from bluering.training.errors import TrainingError
from bluering.training.recipe import Network

BYTES_ALLOWED = 60 * 1024
MACS_ALLOWED = 30_000  # multiply-accumulates per step
TEMPERATURE = 2.0  # of the score: networks are overconfident


class Net(nn.Module):
    """From features (n, rows, 40), the front end's 0..255, to logits (n, steps).

    The receptive field is `receptive` rows; that of step t ends with row `receptive - 1 + t *
    stride`.
    """

    def __init__(self, shape: Network, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.stride = shape.stride
        self.receptive = receptive_rows(shape)
        first_rows = 2 + shape.stride
        self.first = nn.Conv1d(FEATURES, shape.first, first_rows, shape.stride, bias=False)
        self.first_norm = nn.BatchNorm2d(shape.first)
        self.blocks = nn.ModuleList()
        width = shape.first
        for channels, kernels in zip(shape.channels, shape.kernels, strict=True):
            self.blocks.append(Block(width, kernels, channels))
            width = channels
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv1d(width, 1, shape.head)

    def forward(self, rows: Tensor) -> Tensor:
        x = functional.relu(self.first_norm(in_time(scaled(rows), self.first.weight, self.stride)))
        for block in self.blocks:
            x = block(x)
        return in_time(self.dropout(x), self.head.weight, bias=self.head.bias)[:, 0, 0]


class Block(nn.Module):
    """A depthwise convolution in time, then a pointwise one."""

    def __init__(self, width: int, kernels: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.depthwise = MixedDepthwise(width, kernels)
        self.pointwise = nn.Conv1d(width, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(in_time(self.depthwise(x), self.pointwise.weight)))


class MixedDepthwise(nn.Module):
    """One depthwise convolution; shorter kernels are padded with zeros in front."""

    mask: Tensor

    def __init__(self, channels: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        longest = max(kernels)
        mask = torch.zeros(channels, 1, longest)
        groups = torch.arange(channels) * len(kernels) // channels
        for group, kernel in enumerate(kernels):
            mask[groups == group, :, longest - kernel :] = 1
        self.register_buffer("mask", mask)
        self.convolution = nn.Conv1d(channels, channels, longest, groups=channels)

    @property
    def weight(self) -> Tensor:
        """(channels, 1, longest), zero outside a channel's kernel."""
        return self.convolution.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        return in_time(x, self.weight, bias=self.convolution.bias)


def scaled(rows: Tensor) -> Tensor:
    """Features (n, rows, 40) as the input of the layers, (n, 40, 1, rows)."""
    return rows.transpose(1, 2)[:, :, None] * FEATURE_SCALE.scale


def in_time(x: Tensor, weight: Tensor, stride: int = 1, bias: Tensor | None = None) -> Tensor:
    """A convolution in time of x (n, channels, 1, steps) with a weight (outputs, channels, taps),
    depthwise if the weight has one channel and x has more.

    The dimension of size 1 allows PyTorch's channels-last layout, in which a training step takes
    half as long; so does a matrix product in place of a convolution with one tap.
    """
    if weight.shape[1:] == (x.shape[1], 1) and bias is None:
        return (x.permute(0, 2, 3, 1) @ weight[:, :, 0].t()).permute(0, 3, 1, 2)
    if stride == 1 and weight.shape[:2] == (x.shape[1], 1):
        return _Depthwise.apply(x, weight, bias)
    return functional.conv2d(x, weight[:, :, None], bias, (1, stride))


class InTime(nn.Module):
    """A layer that computes `in_time` with a bias."""

    def __init__(self, width: int, channels: int, taps: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, channels, taps)

    def forward(self, x: Tensor) -> Tensor:
        return in_time(x, self.convolution.weight, bias=self.convolution.bias)


class _Depthwise(torch.autograd.Function):
    """PyTorch's depthwise convolution, except that the gradient of the weight is a product and a
    sum for each tap: PyTorch's own takes three times as long, a quarter of a training step."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight[:, :, None], bias, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        taps, steps = weight.shape[2], gradient.shape[3]
        turned = weight.flip(2)[:, :, None]
        of_x = functional.conv2d(gradient, turned, padding=(0, taps - 1), groups=len(weight))
        shifted = (x[..., tap : tap + steps] for tap in range(taps))
        of_weight = torch.stack([(part * gradient).sum((0, 2, 3)) for part in shifted], 1)
        return of_x, of_weight[:, None], gradient.sum((0, 2, 3))


def score(logits: Tensor) -> Tensor:
    """The compiled model's score for logits, 0..1: a sigmoid with temperature scaling (Guo et al.,
    "On Calibration of Modern Neural Networks", 2017). The ranking of scores stays the same; but a
    plain sigmoid squeezes true and false wakes together just below 1, where eight bits can't tell
    them apart."""
    return torch.sigmoid(logits / TEMPERATURE)


def receptive_rows(shape: Network) -> int:
    """The receptive field: rows of features that one output depends on."""
    taps = sum(max(kernels) - 1 for kernels in shape.kernels) + shape.head - 1
    return 2 + shape.stride + shape.stride * taps


def macs_a_step(shape: Network) -> int:
    """Multiply-accumulates per step, including the zeros of shorter kernels."""
    total = (2 + shape.stride) * FEATURES * shape.first
    width = shape.first
    for channels, kernels in zip(shape.channels, shape.kernels, strict=True):
        total += width * max(kernels) + width * channels
        width = channels
    return total + width * shape.head


def check_budget(shape: Network) -> None:
    """Raise TrainingError for a network that needs more than MACS_ALLOWED."""
    macs = macs_a_step(shape)
    if macs > MACS_ALLOWED:
        raise TrainingError(
            f"the network takes {macs:,} multiply-accumulates per step, more than "
            f"{MACS_ALLOWED:,}; give it fewer channels or shorter kernels in [network]"
        )

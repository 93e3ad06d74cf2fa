"""The operators that compute: checked, and turned into layers of the plan."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tflite

from bluering.models.arithmetic import (
    Int64s,
    activation_range,
    high_product,
    quantize_multiplier,
    rounded_shift,
)
from bluering.models.plan import (
    Addition,
    Convolution,
    Depthwise,
    Int8s,
    Layer,
    Requantization,
    View,
)
from bluering.models.tflite_reader import Operator, Quantization, Tensor

_ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if isinstance(v, int)}
_ADD_LEFT_SHIFT = 20


@dataclass(frozen=True)
class Job:
    """An operator, the tensors behind its inputs and output, and where their values lie.

    ``views`` has None for the inputs that no layer computes, the constants.
    """

    operator: Operator
    inputs: Sequence[Tensor | None]
    output: Tensor
    views: Sequence[View | None]
    y: View

    def view(self, index: int) -> View:
        """Where a computed input lies."""
        found = self.views[index] if index < len(self.views) else None
        if found is None or found.row < 0:
            self.operator.refuse(f"has an input {index} that no layer computes")
        return found

    def quantization(self, index: int | None = None) -> Quantization:
        """Of an int8 input, or of the output."""
        tensor = self.output if index is None else self.inputs[index]
        if tensor is None or tensor.type != "INT8" or tensor.quantization is None:
            kind = "nothing" if tensor is None else tensor.type
            where = "output" if index is None else f"input {index}"
            self.operator.refuse(f"has {kind} as its {where}; quantised INT8 is supported")
        return tensor.quantization


def convolution(job: Job) -> list[Layer]:
    """CONV_2D over time: kernels [outputs, rows, 1, channels]."""
    x, y = job.view(0), job.y
    weights = _weights(job, 0)
    if weights.ndim != 4 or weights.shape[2] != 1 or weights.shape[3] != x.channels:
        job.operator.refuse(
            f"with weights {list(weights.shape)} on {x.channels} channels is not supported"
        )
    stride = _stride(job, weights.shape[1])
    _check_rows(job, weights.shape[1], stride, weights.shape[0])
    scales = _double_scales(job, len(weights))
    requantization = _requantization(job, scales)
    bias = _bias(job, len(weights))
    zero_point = job.quantization(0).zero_point
    kernel = weights[:, :, 0, :]
    return [
        Convolution(
            job.operator.index,
            x.select_rows(row * stride, weights.shape[1]),
            y.select_rows(row, 1),
            requantization,
            kernel,
            bias,
            zero_point,
        )
        for row in range(y.rows)
    ]


def depthwise(job: Job) -> list[Layer]:
    """DEPTHWISE_CONV_2D over time: kernels [1, rows, 1, channels]."""
    x, y = job.view(0), job.y
    weights = _weights(job, 3)
    if weights.ndim != 4 or weights.shape[0] != 1 or weights.shape[2] != 1:
        job.operator.refuse(f"with weights {list(weights.shape)} is not supported")
    if weights.shape[3] != x.channels:  # as many outputs as inputs: a depth multiplier of 1
        job.operator.refuse(
            f"with {weights.shape[3]} outputs of {x.channels} channels is not supported"
        )
    kernel = weights[0, :, 0, :]
    stride = _stride(job, len(kernel))
    _check_rows(job, len(kernel), stride, x.channels)
    requantization = _requantization(job, _double_scales(job, x.channels))
    bias = _bias(job, x.channels)
    zero_point = job.quantization(0).zero_point
    return [
        Depthwise(
            job.operator.index,
            x.select_rows(row * stride, len(kernel)),
            y.select_rows(row, 1),
            requantization,
            kernel,
            bias,
            zero_point,
        )
        for row in range(y.rows)
    ]


def fully_connected(job: Job) -> list[Layer]:
    """FULLY_CONNECTED: weights [outputs, inputs], the inputs any rows and channels."""
    x, y = job.view(0), job.y
    weights = _weights(job, 0)
    if job.operator.options["WeightsFormat"]:
        job.operator.refuse("with shuffled weights is not supported")
    if weights.ndim != 2 or weights.shape[1] != x.rows * x.channels:
        job.operator.refuse(
            f"with weights {list(weights.shape)} on {x.rows * x.channels} inputs is not supported"
        )
    if (y.rows, y.channels) != (1, len(weights)):
        job.operator.refuse(f"with {y.rows} rows of {y.channels} outputs is not supported")
    quantization = job.quantization(1)
    if len(quantization.scales) > 1:
        scales = _double_scales(job, len(weights))
    else:  # here TFLite multiplies the two in single precision
        product = float(np.float32(job.quantization(0).scale) * quantization.scales[0])
        scales = np.full(len(weights), product / job.quantization().scale)
    return [
        Convolution(
            job.operator.index,
            x,
            y,
            _requantization(job, scales),
            weights.reshape(len(weights), x.rows, x.channels),
            _bias(job, len(weights)),
            job.quantization(0).zero_point,
        )
    ]


def addition(job: Job) -> list[Layer]:
    """ADD of two computed tensors of one shape: micro/kernels/add_common.cc."""
    a, b, y = job.view(0), job.view(1), job.y
    if not (a.rows, a.channels) == (b.rows, b.channels) == (y.rows, y.channels):
        job.operator.refuse("of different shapes is not supported")
    sources = job.quantization(0), job.quantization(1)
    twice_largest = 2 * max(source.scale for source in sources)
    tables = [_addend(source, twice_largest) for source in sources]
    scale = twice_largest / ((1 << _ADD_LEFT_SHIFT) * job.quantization().scale)
    requantization = _requantization(job, np.full(y.channels, scale))
    return [
        Addition(
            job.operator.index,
            a.select_rows(row, 1),
            y.select_rows(row, 1),
            requantization,
            b.select_rows(row, 1),
            (tables[0], tables[1]),
        )
        for row in range(y.rows)
    ]


def _addend(source: Quantization, twice_largest: float) -> Int64s:
    """Each int8 number on the common scale."""
    multiplier, shift = quantize_multiplier(source.scale / twice_largest)
    values = np.arange(-128, 128) - source.zero_point
    return rounded_shift(high_product(values << _ADD_LEFT_SHIFT, multiplier), -shift)


def _weights(job: Job, dimension: int) -> Int8s:
    """The constant kernel; one scale, or one for each slice of ``dimension``."""
    quantization = job.quantization(1)
    tensor = job.inputs[1]
    assert tensor is not None
    if tensor.data is None:
        job.operator.refuse("with weights that aren't constant is not supported")
    scales = len(quantization.scales)
    if scales > 1 and (
        quantization.dimension != dimension or scales != tensor.data.shape[dimension]
    ):
        job.operator.refuse("with weights quantised along another dimension is not supported")
    if quantization.zero_points.any():
        job.operator.refuse("with weights that have a zero point is not supported")
    return tensor.data


def _bias(job: Job, count: int) -> Int64s:
    tensor = job.inputs[2] if len(job.inputs) > 2 else None
    if tensor is None:
        return np.zeros(count, np.int64)
    if tensor.type != "INT32" or tensor.data is None or tensor.data.size != count:
        job.operator.refuse(f"with a bias that isn't {count} INT32 constants is not supported")
    return tensor.data.reshape(-1).astype(np.int64)


def _stride(job: Job, rows: int) -> int:
    """The stride in time, once everything else about the window is as supported."""
    options = job.operator.options
    dilation = max(options["DilationHFactor"], options["DilationWFactor"])
    if dilation != 1:
        job.operator.refuse(f"with dilation {dilation} is not supported")
    stride = options["StrideH"]
    if stride < 1:
        job.operator.refuse(f"with stride {stride} is not supported")
    if options["Padding"] == tflite.Padding.SAME and (rows, stride) != (1, 1):
        job.operator.refuse("with padding SAME is not supported")
    return stride


def _check_rows(job: Job, rows: int, stride: int, channels: int) -> None:
    x, y = job.view(0), job.y
    expected = (x.rows - rows) // stride + 1, channels
    if (y.rows, y.channels) != expected or rows < 1:
        job.operator.refuse(
            f"with {rows} taps and stride {stride} on {x.rows} rows "
            f"can't give {y.rows} rows of {y.channels}"
        )


def _double_scales(job: Job, count: int) -> np.ndarray:
    """Sums' scales over the output's, for each output (PopulateConvolutionQuantizationParams)."""
    weights = job.quantization(1).scales.astype(np.float64)
    scales = job.quantization(0).scale * weights / job.quantization().scale
    return np.broadcast_to(scales, count)


def _requantization(job: Job, scales: np.ndarray) -> Requantization:
    pairs = [quantize_multiplier(float(scale)) for scale in scales]
    if max(shift for _, shift in pairs) >= 0:
        job.operator.refuse(f"scales its sums by {scales.max():.3g}; less than 0.5 is supported")
    quantization = job.quantization()
    number = job.operator.options["FusedActivationFunction"]
    name = _ACTIVATIONS.get(number, f"activation {number}")
    try:
        lowest, highest = activation_range(name, quantization.scale, quantization.zero_point)
    except KeyError:
        job.operator.refuse(f"with {name} is not supported")
    multipliers, shifts = (np.array(part, np.int64) for part in zip(*pairs, strict=True))
    return Requantization(multipliers, shifts, quantization.zero_point, lowest, highest)

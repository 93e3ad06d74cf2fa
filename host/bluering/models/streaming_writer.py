"""Writes streaming int8 networks in microWakeWord's operators as ``.tflite``.

writer = StreamingWriter(stride=3)
x = writer.keep(writer.input, 2)
x = writer.conv(x, Kernel(weights, scales, bias), Scale(0.05, -128), stride=3, activation="RELU")
...
data = writer.finish(logit)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from bluering.models import frontend
from bluering.models.tflite_writer import TfliteWriter
from ear.audio.format import CHANNELS as FEATURES


@dataclass(frozen=True)
class Scale:
    """value = scale * (int8 - zero_point)."""

    scale: float
    zero_point: int


FEATURE_SCALE = Scale(float(np.float32(frontend.FEATURE_SCALE)), frontend.FEATURE_ZERO_POINT)


@dataclass(frozen=True)
class Signal:
    """A tensor [1, rows, 1, channels] and what its numbers mean."""

    tensor: int
    rows: int
    channels: int
    scale: Scale


@dataclass(frozen=True)
class Kernel:
    """int8 weights, [outputs, rows, channels] or, depthwise, [rows, channels]; a scale for all or
    for each output; int32 bias on the scale of the sums."""

    weights: NDArray[np.int8]
    scales: NDArray[Any]
    bias: NDArray[np.int32]


class StreamingWriter:
    """A network that takes ``stride`` rows of features a step. Each method adds a layer to what
    one of the others gave; ``finish`` closes it."""

    def __init__(self, stride: int, description: str = "wake word") -> None:
        self._writer = TfliteWriter(description)
        self._graph = self._writer.graph("main")
        self._initial = self._writer.graph("initial")
        self._states = 0
        shape = (1, stride, FEATURES)
        raw = self._graph.tensor("input", shape, "INT8", **_as_options(FEATURE_SCALE))
        self._graph.inputs = [raw]
        self._graph.operator("CALL_ONCE", [], [], InitSubgraphIndex=1)
        self.input = self._signal("features", stride, FEATURES, FEATURE_SCALE)
        shape_tensor = self._graph.integers("shape", (1, stride, 1, FEATURES))
        self._graph.operator("RESHAPE", [raw, shape_tensor], [self.input.tensor])

    def keep(self, x: Signal, rows: int) -> Signal:
        """Join the last ``rows`` rows of earlier steps to the new ones."""
        handle, kept = self._state(x, rows)
        joined = self.join_rows(kept, x)
        newest = self.newest(joined, rows)
        self._graph.operator("ASSIGN_VARIABLE", [handle, newest.tensor], [])
        return joined

    def join_rows(self, old: Signal, new: Signal) -> Signal:
        return self._concatenation([old, new], 1, old.rows + new.rows, new.channels)

    def newest(self, x: Signal, rows: int) -> Signal:
        """The last ``rows`` rows."""
        y = self._signal("newest", rows, x.channels, x.scale)
        spans = [(0, x.rows - rows, 0, 0), (1, x.rows, 1, x.channels), (1, 1, 1, 1)]
        bounds = [self._graph.integers("bound", span) for span in spans]
        self._graph.operator("STRIDED_SLICE", [x.tensor, *bounds], [y.tensor])
        return y

    def split(self, x: Signal, channels: Sequence[int]) -> list[Signal]:
        parts = [self._signal("part", x.rows, count, x.scale) for count in channels]
        axis = self._graph.tensor("axis", (), "INT32", np.array(3, "<i4"))
        inputs = [x.tensor, self._graph.integers("sizes", channels), axis]
        outputs = [part.tensor for part in parts]
        self._graph.operator("SPLIT_V", inputs, outputs, NumSplits=len(parts))
        return parts

    def conv(
        self,
        x: Signal,
        kernel: Kernel,
        scale: Scale,
        *,
        stride: int = 1,
        activation: str = "NONE",
    ) -> Signal:
        outputs, rows, _ = kernel.weights.shape
        y = self._signal("conv", (x.rows - rows) // stride + 1, outputs, scale)
        inputs = self._kernel(x, kernel, kernel.weights[:, :, None, :], 0)
        self._graph.operator("CONV_2D", inputs, [y.tensor], **_window(stride, activation))
        return y

    def depthwise(self, x: Signal, kernel: Kernel, scale: Scale, *, stride: int = 1) -> Signal:
        rows, channels = kernel.weights.shape
        y = self._signal("depthwise", (x.rows - rows) // stride + 1, channels, scale)
        inputs = self._kernel(x, kernel, kernel.weights[None, :, None, :], 3)
        options = _window(stride, "NONE")
        self._graph.operator("DEPTHWISE_CONV_2D", inputs, [y.tensor], DepthMultiplier=1, **options)
        return y

    def add(self, a: Signal, b: Signal, scale: Scale, *, activation: str = "NONE") -> Signal:
        y = self._signal("sum", a.rows, a.channels, scale)
        fused = _activation(activation)
        self._graph.operator("ADD", [a.tensor, b.tensor], [y.tensor], **fused)
        return y

    def dense(self, x: Signal, kernel: Kernel, scale: Scale) -> Signal:
        """One row of outputs from all rows of ``x``; the kernel is [outputs, rows, channels]."""
        outputs, size = len(kernel.weights), x.rows * x.channels
        flat = self._graph.tensor("flat", (1, size), "INT8", **_as_options(x.scale))
        shape = self._graph.integers("shape", (1, size))
        self._graph.operator("RESHAPE", [x.tensor, shape], [flat])
        y = self._graph.tensor("dense", (1, outputs), "INT8", **_as_options(scale))
        inputs = self._kernel(x, kernel, kernel.weights.reshape(outputs, size), 0)
        self._graph.operator("FULLY_CONNECTED", [flat, *inputs[1:]], [y], FusedActivationFunction=0)
        return Signal(y, 1, outputs, scale)

    def finish(self, logit: Signal) -> bytes:
        """Make the one logit a probability, the output; returns the file's bytes."""
        graph = self._graph
        probability = graph.tensor("p", (1, 1), "INT8", scales=1 / 256, zero_point=-128)
        output = graph.tensor("output", (1, 1), "UINT8", scales=1 / 256, zero_point=0)
        graph.operator("LOGISTIC", [logit.tensor], [probability])
        graph.operator("QUANTIZE", [probability], [output])
        graph.outputs = [output]
        return self._writer.finish()

    def _signal(self, name: str, rows: int, channels: int, scale: Scale) -> Signal:
        shape = (1, rows, 1, channels)
        return Signal(
            self._graph.tensor(name, shape, "INT8", **_as_options(scale)), rows, channels, scale
        )

    def _state(self, x: Signal, rows: int) -> tuple[int, Signal]:
        """A new variable's handle, and its rows before this step."""
        self._states += 1
        name = f"state{self._states}"
        start = np.full((1, rows, 1, x.channels), x.scale.zero_point, np.int8)
        value = self._initial.tensor("start", start.shape, "INT8", start, **_as_options(x.scale))
        initial = self._handle(self._initial, name)
        self._initial.operator("ASSIGN_VARIABLE", [initial, value], [])
        handle = self._handle(self._graph, name)
        kept = self._signal("kept", rows, x.channels, x.scale)
        self._graph.operator("READ_VARIABLE", [handle], [kept.tensor])
        return handle, kept

    @staticmethod
    def _handle(graph, name: str) -> int:
        handle = graph.tensor(f"{name}_handle", (), "RESOURCE")
        graph.operator("VAR_HANDLE", [], [handle], Container="", SharedName=name)
        return handle

    def _concatenation(
        self, parts: Sequence[Signal], axis: int, rows: int, channels: int
    ) -> Signal:
        y = self._signal("joined", rows, channels, parts[0].scale)
        self._graph.operator("CONCATENATION", [p.tensor for p in parts], [y.tensor], Axis=axis)
        return y

    def _kernel(self, x: Signal, kernel: Kernel, weights: NDArray[np.int8], dimension: int):
        """The three inputs of a layer with weights."""
        scales = np.atleast_1d(np.asarray(kernel.scales, np.float32))
        quantized = {"scales": scales, "dimension": dimension}
        w = self._graph.tensor("weights", weights.shape, "INT8", weights, **quantized)
        bias = kernel.bias.astype("<i4")
        b = self._graph.tensor(
            "bias", bias.shape, "INT32", bias, scales=scales * np.float32(x.scale.scale)
        )
        return [x.tensor, w, b]


def _as_options(scale: Scale) -> dict[str, Any]:
    return {"scales": scale.scale, "zero_point": scale.zero_point}


def _activation(name: str) -> dict[str, int]:
    return {"FusedActivationFunction": getattr(tflite.ActivationFunctionType, name)}


def _window(stride: int, activation: str) -> dict[str, int]:
    return {
        **_activation(activation),
        "Padding": tflite.Padding.VALID,
        "StrideW": 1,
        "StrideH": stride,
        "DilationWFactor": 1,
        "DilationHFactor": 1,
    }

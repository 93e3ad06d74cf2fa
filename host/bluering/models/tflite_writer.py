"""Writes ``.tflite`` files, tensor by tensor and operator by operator.

    writer = TfliteWriter("a wake word")
    graph = writer.graph("main")
    x = graph.tensor("x", (1, 3, 40), "INT8", scales=0.1, zero_point=-128)
    ...
    graph.operator("ADD", [x, x], [y], FusedActivationFunction=0)
    data = writer.finish()

Types, operators and options have the names of TFLite's schema.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import ArrayLike, NDArray

from bluering.models.tflite_reader import SCHEMA_VERSION

# Operators with options, and the schema's name of their table.
_OPTIONS = {
    "ADD": "AddOptions",
    "ASSIGN_VARIABLE": "AssignVariableOptions",
    "CALL_ONCE": "CallOnceOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "QUANTIZE": "QuantizeOptions",
    "READ_VARIABLE": "ReadVariableOptions",
    "RESHAPE": "ReshapeOptions",
    "SPLIT_V": "SplitVOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "VAR_HANDLE": "VarHandleOptions",
}
# The versions in which the operators took int8, where that isn't the first.
_VERSIONS = {
    "ADD": 2,
    "CONCATENATION": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "LOGISTIC": 2,
    "SPLIT_V": 2,
    "STRIDED_SLICE": 2,
}


@dataclass(frozen=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    type: str
    buffer: int
    scales: NDArray[np.float32]
    zero_point: int
    dimension: int


@dataclass(frozen=True)
class _Operator:
    code: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    name: str
    options: dict[str, Any]


class GraphWriter:
    """One subgraph; made by `TfliteWriter.graph`. Set ``inputs`` and ``outputs``."""

    def __init__(self, writer: "TfliteWriter", name: str) -> None:
        self._writer = writer
        self.name = name
        self.tensors: list[_Tensor] = []
        self.operators: list[_Operator] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        type_: str,
        data: NDArray[Any] | None = None,
        *,
        scales: ArrayLike = (),
        zero_point: int = 0,
        dimension: int = 0,
    ) -> int:
        """Add a tensor, a constant when it has data; returns its number."""
        buffer = 0 if data is None else self._writer.buffer(data)
        all_scales = np.atleast_1d(np.asarray(scales, np.float32))
        found = _Tensor(name, tuple(shape), type_, buffer, all_scales, zero_point, dimension)
        self.tensors.append(found)
        return len(self.tensors) - 1

    def integers(self, name: str, values: Sequence[int]) -> int:
        """Add a constant of int32 numbers."""
        return self.tensor(name, (len(values),), "INT32", np.array(values, "<i4"))

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any
    ) -> None:
        """Add an operator; an input of -1 is one that is left out."""
        self.operators.append(_Operator(self._writer.code(name), inputs, outputs, name, options))


class TfliteWriter:
    """A model; the first graph is the main one."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._graphs: list[GraphWriter] = []
        self._buffers: list[bytes] = [b""]  # buffer 0 stands for no data
        self._codes: list[str] = []

    def graph(self, name: str) -> GraphWriter:
        self._graphs.append(GraphWriter(self, name))
        return self._graphs[-1]

    def buffer(self, data: NDArray[Any]) -> int:
        self._buffers.append(data.tobytes())
        return len(self._buffers) - 1

    def code(self, name: str) -> int:
        if name not in self._codes:
            self._codes.append(name)
        return self._codes.index(name)

    def finish(self) -> bytes:
        """The file's bytes."""
        builder = flatbuffers.Builder(1 << 16)
        description = builder.CreateString(self._description)
        codes = _offsets(builder, [_code(builder, name) for name in self._codes])
        graphs = _offsets(builder, [_graph(builder, graph) for graph in self._graphs])
        buffers = _offsets(builder, [_buffer(builder, data) for data in self._buffers])
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, SCHEMA_VERSION)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddDescription(builder, description)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return bytes(builder.Output())


def _offsets(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _buffer(builder: flatbuffers.Builder, data: bytes) -> int:
    content = _aligned(builder, data) if data else None
    tflite.BufferStart(builder)
    if content is not None:
        tflite.BufferAddData(builder, content)
    return tflite.BufferEnd(builder)


def _aligned(builder: flatbuffers.Builder, data: bytes) -> int:
    """A vector of bytes at a multiple of 16, as the runtimes want it."""
    builder.StartVector(1, len(data), 16)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return builder.EndVector()


def _code(builder: flatbuffers.Builder, name: str) -> int:
    number = getattr(tflite.BuiltinOperator, name)
    tflite.OperatorCodeStart(builder)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
    tflite.OperatorCodeAddVersion(builder, _VERSIONS.get(name, 1))
    tflite.OperatorCodeAddBuiltinCode(builder, number)
    return tflite.OperatorCodeEnd(builder)


def _graph(builder: flatbuffers.Builder, graph: GraphWriter) -> int:
    tensors = _offsets(builder, [_tensor(builder, tensor) for tensor in graph.tensors])
    operators = _offsets(builder, [_operator(builder, one) for one in graph.operators])
    inputs, outputs = _int32s(builder, graph.inputs), _int32s(builder, graph.outputs)
    name = builder.CreateString(graph.name)
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, tensors)
    tflite.SubGraphAddInputs(builder, inputs)
    tflite.SubGraphAddOutputs(builder, outputs)
    tflite.SubGraphAddOperators(builder, operators)
    tflite.SubGraphAddName(builder, name)
    return tflite.SubGraphEnd(builder)


def _int32s(builder: flatbuffers.Builder, values: Sequence[int]) -> int:
    return builder.CreateNumpyVector(np.array(values, np.int32))


def _tensor(builder: flatbuffers.Builder, tensor: _Tensor) -> int:
    name = builder.CreateString(tensor.name)
    shape = _int32s(builder, tensor.shape)
    quantization = _quantization(builder, tensor) if tensor.scales.size else None
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    tflite.TensorAddType(builder, getattr(tflite.TensorType, tensor.type))
    tflite.TensorAddBuffer(builder, tensor.buffer)
    tflite.TensorAddName(builder, name)
    if quantization is not None:
        tflite.TensorAddQuantization(builder, quantization)
    tflite.TensorAddHasRank(builder, True)
    return tflite.TensorEnd(builder)


def _quantization(builder: flatbuffers.Builder, tensor: _Tensor) -> int:
    scales = builder.CreateNumpyVector(tensor.scales)
    zero_points = builder.CreateNumpyVector(
        np.full(tensor.scales.size, tensor.zero_point, np.int64)
    )
    tflite.QuantizationParametersStart(builder)
    tflite.QuantizationParametersAddScale(builder, scales)
    tflite.QuantizationParametersAddZeroPoint(builder, zero_points)
    tflite.QuantizationParametersAddQuantizedDimension(builder, tensor.dimension)
    return tflite.QuantizationParametersEnd(builder)


def _operator(builder: flatbuffers.Builder, operator: _Operator) -> int:
    inputs, outputs = _int32s(builder, operator.inputs), _int32s(builder, operator.outputs)
    kind = _OPTIONS.get(operator.name)
    options = _options(builder, kind, operator.options) if kind else None
    tflite.OperatorStart(builder)
    tflite.OperatorAddOpcodeIndex(builder, operator.code)
    tflite.OperatorAddInputs(builder, inputs)
    tflite.OperatorAddOutputs(builder, outputs)
    if kind and options is not None:
        tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, kind))
        tflite.OperatorAddBuiltinOptions(builder, options)
    return tflite.OperatorEnd(builder)


def _options(builder: flatbuffers.Builder, kind: str, options: dict[str, Any]) -> int:
    def call(suffix: str) -> Callable[..., Any]:
        return getattr(tflite, kind + suffix)

    values = {
        field: builder.CreateString(value) if isinstance(value, str) else value
        for field, value in options.items()
    }
    call("Start")(builder)
    for field, value in values.items():
        call(f"Add{field}")(builder, value)
    return call("End")(builder)

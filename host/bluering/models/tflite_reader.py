"""Reads a ``.tflite`` file into plain objects, and survives whatever else it is given."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import tflite
from numpy.typing import NDArray

from bluering.models.errors import ModelError

_T = TypeVar("_T")
_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
_MOST = 4096  # subgraphs, tensors, operators, ... : far more than a wake word has
_OPERATORS = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
_TYPES = {v: k for k, v in vars(tflite.TensorType).items() if isinstance(v, int)}
_NUMPY = {"FLOAT32": "<f4", "INT32": "<i4", "UINT8": "u1", "INT64": "<i8", "INT8": "i1"}
# Flatbuffers has no verifier in Python: a damaged file shows as one of these.
_DAMAGE = (
    struct.error,
    ValueError,
    IndexError,
    TypeError,
    OverflowError,
    AttributeError,
    KeyError,
    MemoryError,
)
_WINDOW = (
    "Padding",
    "StrideH",
    "StrideW",
    "DilationHFactor",
    "DilationWFactor",
    "FusedActivationFunction",
)
# The options that matter of each operator that has some, by the names of TFLite's schema.
_OPTIONS: dict[str, tuple[type, tuple[str, ...]]] = {
    "CALL_ONCE": (tflite.CallOnceOptions, ("InitSubgraphIndex",)),
    "VAR_HANDLE": (tflite.VarHandleOptions, ("SharedName",)),
    "CONCATENATION": (tflite.ConcatenationOptions, ("Axis", "FusedActivationFunction")),
    "STRIDED_SLICE": (
        tflite.StridedSliceOptions,
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "CONV_2D": (tflite.Conv2DOptions, _WINDOW),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, (*_WINDOW, "DepthMultiplier")),
    "FULLY_CONNECTED": (
        tflite.FullyConnectedOptions,
        ("FusedActivationFunction", "WeightsFormat"),
    ),
    "ADD": (tflite.AddOptions, ("FusedActivationFunction",)),
}


@dataclass(frozen=True)
class Quantization:
    """value = scale * (number - zero_point), one scale or one for each of a dimension's slices."""

    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    dimension: int

    @property
    def scale(self) -> float:
        return float(self.scales[0])

    @property
    def zero_point(self) -> int:
        return int(self.zero_points[0])


@dataclass(frozen=True)
class Tensor:
    """``type`` is TFLite's name of it, ``data`` the value of a constant."""

    name: str
    shape: tuple[int, ...]
    type: str
    quantization: Quantization | None
    data: NDArray[Any] | None


@dataclass(frozen=True)
class Operator:
    """``index`` is its number in the subgraph; a missing optional input is None."""

    index: int
    name: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def refuse(self, why: str) -> NoReturn:
        """Raise the ModelError that names this layer."""
        raise ModelError(f"layer {self.index}: {self.name} {why}")


@dataclass(frozen=True)
class Subgraph:
    """Tensors by number, operators in order, the numbers of inputs and outputs."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class SourceModel:
    """A ``.tflite``; the first subgraph is the main one."""

    sha256: bytes
    size: int
    subgraphs: tuple[Subgraph, ...]


def read_tflite(path: Path) -> SourceModel:
    """The model in a file. Raises ModelError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"can't be read: {error.strerror}") from error
    return parse_tflite(data)


def parse_tflite(data: bytes) -> SourceModel:
    """The model in a file's bytes. Raises ModelError."""
    if len(data) < 8 or data[4:8] != _IDENTIFIER:
        raise ModelError("not a .tflite file: it doesn't have the identifier TFL3")
    try:
        model = tflite.Model.GetRootAs(data, 0)
        if model.Version() != SCHEMA_VERSION:
            raise ModelError(f"schema version {model.Version()}, not {SCHEMA_VERSION}")
        buffers = _each(model.BuffersLength(), model.Buffers)
        codes = [
            _builtin_name(code) for code in _each(model.OperatorCodesLength(), model.OperatorCodes)
        ]
        subgraphs = [
            _subgraph(graph, buffers, codes)
            for graph in _each(model.SubgraphsLength(), model.Subgraphs)
        ]
    except _DAMAGE as error:
        raise ModelError(f"a damaged or truncated .tflite file: {error}") from error
    if not subgraphs:
        raise ModelError("a .tflite file without a graph")
    return SourceModel(hashlib.sha256(data).digest(), len(data), tuple(subgraphs))


def _each(length: int, item: Callable[[int], _T | None]) -> list[_T]:
    if not 0 <= length <= _MOST:
        raise ValueError(f"a list of {length} things")
    items = [item(index) for index in range(length)]
    found = [it for it in items if it is not None]
    if len(found) != len(items):
        raise ValueError("a list with holes")
    return found


def _builtin_name(code: tflite.OperatorCode) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _OPERATORS.get(number, f"operator {number}")
    if name == "CUSTOM":
        return f"CUSTOM {_text(code.CustomCode())}"
    return name


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _subgraph(graph: tflite.SubGraph, buffers: list[tflite.Buffer], codes: list[str]) -> Subgraph:
    tensors = [_tensor(t, buffers) for t in _each(graph.TensorsLength(), graph.Tensors)]
    operators = [
        _operator(index, operator, codes, len(tensors))
        for index, operator in enumerate(_each(graph.OperatorsLength(), graph.Operators))
    ]
    inputs = _numbers(graph.InputsLength(), graph.Inputs, len(tensors))
    outputs = _numbers(graph.OutputsLength(), graph.Outputs, len(tensors))
    return Subgraph(tuple(tensors), tuple(operators), inputs, outputs)


def _numbers(length: int, item: Callable[[int], int], tensors: int) -> tuple[int, ...]:
    numbers = tuple(_each(length, item))
    if any(not 0 <= number < tensors for number in numbers):
        raise ValueError("a tensor that isn't there")
    return numbers


def _tensor(tensor: tflite.Tensor, buffers: list[tflite.Buffer]) -> Tensor:
    shape = tuple(_each(tensor.ShapeLength(), tensor.Shape))
    type_ = _TYPES[tensor.Type()]
    data = None
    buffer = buffers[tensor.Buffer()]
    if buffer.DataLength():
        raw = np.asarray(buffer.DataAsNumpy()).tobytes()
        data = np.frombuffer(raw, _NUMPY[type_]).reshape(shape) if type_ in _NUMPY else None
    return Tensor(_text(tensor.Name()), shape, type_, _quantization(tensor), data)


def _quantization(tensor: tflite.Tensor) -> Quantization | None:
    found = tensor.Quantization()
    if found is None or not found.ScaleLength():
        return None
    scales = np.array(_each(found.ScaleLength(), found.Scale), np.float32)
    zero_points = np.array(_each(found.ZeroPointLength(), found.ZeroPoint), np.int64)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError("a scale that isn't a positive number")
    if len(zero_points) != len(scales):
        raise ValueError("not as many zero points as scales")
    return Quantization(scales, zero_points, found.QuantizedDimension())


def _operator(index: int, operator: tflite.Operator, codes: list[str], tensors: int) -> Operator:
    name = codes[operator.OpcodeIndex()]
    inputs = _each(operator.InputsLength(), operator.Inputs)
    if any(not -1 <= number < tensors for number in inputs):
        raise ValueError("a tensor that isn't there")
    return Operator(
        index,
        name,
        tuple(None if number == -1 else number for number in inputs),
        _numbers(operator.OutputsLength(), operator.Outputs, tensors),
        _options(name, operator),
    )


def _options(name: str, operator: tflite.Operator) -> dict[str, Any]:
    if name not in _OPTIONS:
        return {}
    kind, fields = _OPTIONS[name]
    options = kind()
    table = operator.BuiltinOptions()
    if table is None:
        raise ValueError(f"{name} without its options")
    options.Init(table.Bytes, table.Pos)
    return {field_: getattr(options, field_)() for field_ in fields}

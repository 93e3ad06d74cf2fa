"""Reads compiled models on the host."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.models.errors import ModelError
from ear.spotter import format as layout

OVERREAD = 16  # bytes that kernels may read past a layer's inputs
SUM_BIAS = 1 << 30  # what the biases of sums are stored too large by, to be positive
ADDEND_BIAS = 1 << 29  # and the entries of an addition's tables
_NAMES = {layout.CONV: "conv", layout.DEPTHWISE: "depthwise", layout.ADD: "add"}


@dataclass(frozen=True)
class CompiledModel:
    """The declared parts of a compiled model; ``blob`` holds the sections."""

    blob: bytes
    header: Any
    regions: list[Any]
    layers: list[Any]

    def words(self, offset: int, count: int) -> NDArray[np.uint32]:
        """``count`` words of a section."""
        return np.frombuffer(self.blob, "<u4", count, offset)

    def head(self, layer: Any) -> list[int]:
        """The words before a layer's records: depth or taps, outputs, ..."""
        return self.words(layer.parameters, layout.PARAMETERS).tolist()


def parse_compiled(blob: bytes) -> CompiledModel:
    """The model in a file's bytes. Raises ModelError when it is damaged."""
    try:
        header = layout.read_header(blob)
    except layout.ModelError as error:
        raise ModelError(f"{error}") from error
    regions = layout.read_regions(blob, header)
    return CompiledModel(blob, header, regions, layout.read_layers(blob, header))


def source_sha256(blob: bytes) -> bytes:
    """Of the .tflite that a compiled model was made from. Raises ModelError when it is damaged."""
    return parse_compiled(blob).header.source_sha256


def describe(model: CompiledModel) -> dict[str, Any]:
    """What ``bluering model info`` tells."""
    header = model.header
    layers = [_describe_layer(model, layer) for layer in model.layers]
    states = [region.keep for region in model.regions if region.keep]
    return {
        "format_version": header.version,
        "bytes": header.length,
        "source_sha256": header.source_sha256.hex(),
        "stride": header.stride,
        "features": header.row,
        "input_scale": header.input_scale,
        "input_zero_point": header.input_zero_point,
        "arena_bytes": header.arena,
        "state_bytes": states,
        "multiply_accumulates": sum(layer["multiply_accumulates"] for layer in layers),
        "layers": layers,
    }


def _describe_layer(model: CompiledModel, layer: Any) -> dict[str, Any]:
    inputs, outputs, *_ = model.head(layer)
    return {
        "operator": layer.operator,
        "kind": _NAMES[layer.kind],
        "inputs": outputs if layer.kind == layout.ADD else inputs,  # taps where it is depthwise
        "outputs": outputs,
        "multiply_accumulates": 0 if layer.kind == layout.ADD else inputs * outputs,
    }

"""Writes a plan as the binary that the device reads; its format stands in ear.spotter.format."""

import binascii
import struct

import numpy as np

from bluering.models.compiled import ADDEND_BIAS, OVERREAD, SUM_BIAS
from bluering.models.errors import ModelError
from bluering.models.lowering import lower
from bluering.models.plan import (
    Addition,
    Convolution,
    Depthwise,
    Layer,
    Plan,
    Region,
    Requantization,
)
from bluering.models.tflite_reader import SourceModel
from ear.spotter import format as layout

_ALIGNMENT = 16  # of sections and regions, for vector units
_SUM_LIMIT = 1 << 29
_NARROW_LIMIT = 1 << 19  # of a vector lane's sum


def compile_model(model: SourceModel) -> bytes:
    """The compiled model. Raises ModelError naming the layer that can't be run."""
    plan = lower(model)
    arena = _place(plan)
    return _Writer(plan, arena).write()


def _place(plan: Plan) -> int:
    """Give each region its pitch and its offset; returns the bytes of the arena."""
    strided = {id(layer.x.region) for layer in plan.layers if isinstance(layer, Depthwise)}
    offset = 0
    for region in plan.regions:
        region.offset = offset
        region.pitch = _rounded(region.channels, _ALIGNMENT if id(region) in strided else 4)
        offset += _rounded((region.keep + region.new) * region.pitch, _ALIGNMENT)
    return offset + OVERREAD


def _rounded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


class _Writer:
    """Collects sections behind the header and the tables, each content once."""

    def __init__(self, plan: Plan, arena: int) -> None:
        self._plan = plan
        self._arena = arena
        self._sections = bytearray()
        self._known: dict[bytes, int] = {}
        tables = len(plan.regions) * struct.calcsize(layout.REGION)
        tables += len(plan.layers) * struct.calcsize(layout.LAYER)
        self._start = _rounded(layout.REGIONS + tables, _ALIGNMENT)

    def write(self) -> bytes:
        plan = self._plan
        table = self._section(plan.table.astype(np.uint8).tobytes())
        regions = b"".join(_region(region) for region in plan.regions)
        layers = b"".join(self._layer(layer) for layer in plan.layers)
        length = self._start + len(self._sections) + struct.calcsize(layout.CHECKSUM)
        header = layout.Header(
            magic=layout.MAGIC,
            version=layout.VERSION,
            stride=plan.input.rows,
            row=plan.input.channels,
            length=length,
            source_sha256=plan.source_sha256,
            input_scale=plan.input_scale,
            input_zero_point=plan.input_zero_point,
            input_pitch=plan.input.region.pitch,
            regions=len(plan.regions),
            layers=len(plan.layers),
            input=plan.input.offset,
            output=plan.output.offset,
            table=table,
            arena=self._arena,
        )
        front = struct.pack(layout.HEADER, *header) + regions + layers
        body = front.ljust(self._start, b"\0") + bytes(self._sections)
        return body + struct.pack(layout.CHECKSUM, binascii.crc32(body))

    def _section(self, content: bytes) -> int:
        """Its offset in the file."""
        if content not in self._known:
            self._known[content] = self._start + len(self._sections)
            self._sections += content.ljust(_rounded(len(content), _ALIGNMENT), b"\0")
        return self._known[content]

    def _layer(self, layer: Layer) -> bytes:
        match layer:
            case Convolution():
                kind, parameters, weights = layout.CONV, *_convolution(layer)
            case Depthwise():
                kind, parameters, weights = layout.DEPTHWISE, *_depthwise(layer)
            case Addition():
                kind, parameters, weights = layout.ADD, _addition(layer), b""
            case _:
                raise ModelError(f"layer {layer.operator} is of an unknown kind")
        packed = layout.Layer(
            kind=kind,
            lowest=layer.requantization.lowest + 128,
            highest=layer.requantization.highest + 128,
            operator=layer.operator,
            x=layer.x.offset,
            weights=layer.x2.offset if isinstance(layer, Addition) else self._section(weights),
            parameters=self._section(parameters),
            y=layer.y.offset,
        )
        return struct.pack(layout.LAYER, *packed)


def _region(region: Region) -> bytes:
    return struct.pack(
        layout.REGION,
        region.offset,
        region.keep * region.pitch,
        region.new * region.pitch,
        region.fill + 128,
    )


def _convolution(layer: Convolution) -> tuple[bytes, bytes]:
    """Parameters and weights of the kernel ``conv``: the inputs lie in one piece, with gaps."""
    count, rows, channels = layer.weights.shape
    pitch = layer.x.region.pitch
    depth = _rounded((rows - 1) * pitch + channels, 16)
    gapped = np.zeros((count, rows * pitch), np.int64).reshape(count, rows, pitch)
    gapped[:, :, :channels] = layer.weights
    weights = np.zeros((count, depth), np.int64)
    used = min(depth, rows * pitch)
    weights[:, :used] = gapped.reshape(count, -1)[:, :used]
    bias = _bias(layer, weights)
    head = depth, count, _rounding(layer.requantization)
    return _parameters(head, bias, layer.requantization), _biased(weights)


def _depthwise(layer: Depthwise) -> tuple[bytes, bytes]:
    """Parameters and weights of the kernel ``depthwise``."""
    taps, channels = layer.weights.shape
    width = _rounded(channels, 16)
    weights = np.zeros((taps, width), np.int64)
    weights[:, :channels] = layer.weights
    bias = _bias(layer, layer.weights.T.astype(np.int64))
    signed_bias = bias + 128 * layer.weights.sum(0, dtype=np.int64)
    reach = 128 * np.abs(layer.weights.astype(np.int64)).sum(0).max()
    narrow = int(reach < _NARROW_LIMIT)
    head = taps, channels, _rounding(layer.requantization), layer.x.region.pitch, width, narrow
    return _parameters(head, bias, layer.requantization, signed_bias), _biased(weights)


def _addition(layer: Addition) -> bytes:
    """Parameters of the kernel ``add``."""
    reach = sum(int(np.abs(table).max()) for table in layer.tables)
    if reach >= _SUM_LIMIT:
        raise ModelError(f"layer {layer.operator}: sums reach {reach}, which is too much")
    head = 0, layer.y.channels, _rounding(layer.requantization)
    records = _parameters(head, np.zeros(1, np.int64), layer.requantization)
    tables = np.concatenate(layer.tables) + ADDEND_BIAS
    return records + tables.astype("<u4").tobytes()


def _bias(layer: Convolution | Depthwise, weights: np.ndarray) -> np.ndarray:
    """What a sum over int8 + 128 starts with, ``weights`` holding a row for each output.

    Checks that no sum, over any inputs, leaves the kernels' range.
    """
    zero = layer.input_zero_point + 128
    bias = layer.bias - zero * weights.sum(1)
    lowest = bias + 255 * np.minimum(weights, 0).sum(1)
    highest = bias + 255 * np.maximum(weights, 0).sum(1)
    reach = int(max(np.abs(lowest).max(), np.abs(highest).max()))
    if reach >= _SUM_LIMIT:
        raise ModelError(
            f"layer {layer.operator}: its sums can reach {reach}; "
            f"less than {_SUM_LIMIT} is supported"
        )
    return bias + SUM_BIAS


def _rounding(requantization: Requantization) -> int:
    """Twice the output's zero point on the scale of 0..255, plus one."""
    return 2 * (requantization.zero_point + 128) + 1


def _parameters(
    head: tuple[int, ...],
    bias: np.ndarray,
    requantization: Requantization,
    last: np.ndarray | None = None,
) -> bytes:
    """The words before the records, then a record for each bias."""
    count = len(bias)
    multipliers = requantization.multipliers[:count]
    records = np.zeros((count, layout.RECORD), np.int64)
    records[:, 0] = bias
    records[:, 1] = (multipliers & 0x7FFF) | (multipliers >> 15) << 16
    records[:, 2] = np.maximum(-requantization.shifts[:count] - 1, 0)
    if last is not None:
        records[:, 3] = last
    words = np.zeros(layout.PARAMETERS, np.int64)
    words[: len(head)] = head
    return words.astype("<u4").tobytes() + records.astype("<u4").tobytes()


def _biased(weights: np.ndarray) -> bytes:
    return (weights + 128).astype(np.uint8).tobytes()

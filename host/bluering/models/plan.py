"""A model as the device will run it: regions of memory, and layers that go from one to another."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.models.arithmetic import Int64s

Int8s = NDArray[np.int8]


@dataclass(eq=False)
class Region:
    """Rows of activations: those kept from step to step, then those that each step brings.

    ``fill`` is the int8 that they all start with. ``pitch`` is the distance of rows in bytes and
    ``offset`` its place in the arena; both are set when the plan is laid out.
    """

    keep: int
    new: int
    channels: int
    fill: int = 0
    pitch: int = 0
    offset: int = 0


@dataclass(frozen=True)
class View:
    """Some rows and channels of a region."""

    region: Region
    row: int
    rows: int
    channel: int
    channels: int

    def select_rows(self, start: int, count: int) -> "View":
        return replace(self, row=self.row + start, rows=count)

    def select_channels(self, start: int, count: int) -> "View":
        return replace(self, channel=self.channel + start, channels=count)

    @property
    def offset(self) -> int:
        """Of its first byte in the arena."""
        return self.region.offset + self.row * self.region.pitch + self.channel


@dataclass(frozen=True)
class Requantization:
    """How the sums of n outputs become int8 (TFLite's multipliers and shifts, n of each)."""

    multipliers: Int64s
    shifts: Int64s
    zero_point: int
    lowest: int
    highest: int


@dataclass(frozen=True)
class Layer:
    """One row of outputs; ``operator`` is its number in the source."""

    operator: int
    x: View
    y: View
    requantization: Requantization


@dataclass(frozen=True)
class Convolution(Layer):
    """``weights``: outputs, rows, channels; each sum is over inputs less their zero point."""

    weights: Int8s
    bias: Int64s
    input_zero_point: int


@dataclass(frozen=True)
class Depthwise(Layer):
    """``weights``: rows, channels."""

    weights: Int8s
    bias: Int64s
    input_zero_point: int


@dataclass(frozen=True)
class Addition(Layer):
    """The sum of two rows; the tables hold each int8 of x and of x2 on their common scale."""

    x2: View
    tables: tuple[Int64s, Int64s]


@dataclass(frozen=True)
class Plan:
    """``input`` is where a step's rows of features go, ``output`` where the logit appears;
    ``table`` holds the probability (0..255) of each logit from -128 to 127."""

    source_sha256: bytes
    input: View
    input_scale: float
    input_zero_point: int
    output: View
    table: NDArray[Any]
    regions: list[Region]
    layers: list[Layer]

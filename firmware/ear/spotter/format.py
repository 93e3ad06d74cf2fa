"""The compiled model: one binary, made on the host, read by the device. Little-endian.

    header | regions | layers | sections: weights, parameters, the table | checksum

The device holds all activations in one arena. A region is a stretch of it: the rows that a layer
keeps from step to step, then those that each step brings. A layer reads its inputs somewhere in
the arena, and its weights and parameters in sections of this file, at multiples of 16; how they
are laid out stands in the kernels of ear.spotter.model_kernels.
"""

import binascii
import struct
from collections import namedtuple

from ear.spotter.errors import ModelError

MAGIC = b"EARM"
VERSION = 1

# Kinds of layers. An ADD has its second input's offset in the arena in place of its weights'.
CONV, DEPTHWISE, ADD = 1, 2, 3

HEADER = "<4sHBBI32sfbxHHHIIII"
Header = namedtuple(
    "Header",
    (
        "magic",
        "version",
        "stride",  # rows of features a step, one a hop
        "row",  # features a row
        "length",  # bytes of the file, checksum included
        "source_sha256",  # of the .tflite
        "input_scale",  # what a feature's unit is worth
        "input_zero_point",  # int8
        "input_pitch",  # bytes from one row of features to the next in the arena
        "regions",
        "layers",
        "input",  # offset of a step's first row of features in the arena
        "output",  # offset of the logit in the arena
        "table",  # offset of the section with the probability (0..255) of each logit
        "arena",  # bytes of the arena
    ),
)

REGIONS = struct.calcsize(HEADER)  # where they begin
REGION = "<IIII"
Region = namedtuple("Region", ("offset", "keep", "new", "fill"))  # bytes, and the byte at the start

LAYER = "<BBBxIIIII"
Layer = namedtuple(
    "Layer",
    (
        "kind",
        "lowest",  # of the outputs after the fused activation, int8 + 128
        "highest",
        "operator",  # number of the operator in the .tflite
        "x",  # offset in the arena
        "weights",  # offset in the file
        "parameters",  # offset in the file
        "y",  # offset in the arena
    ),
)

PARAMETERS = 8  # words before a section's parameters of each output
RECORD = 4  # words for each output
CHECKSUM = "<I"  # CRC-32 of all before it


def read_header(blob):
    """The header of a whole, undamaged file. Raises ModelError with the reason otherwise."""
    size = struct.calcsize(HEADER)
    if len(blob) < size:
        raise ModelError(f"truncated: {len(blob)} bytes, less than a header")
    header = Header(*struct.unpack_from(HEADER, blob, 0))
    if header.magic != MAGIC:
        raise ModelError("not a compiled model")
    if header.version != VERSION:
        raise ModelError(f"format version {header.version}, not {VERSION}")
    if header.length != len(blob):
        raise ModelError(f"{len(blob)} bytes, not {header.length}: truncated or joined")
    _check(blob)
    return header


def read_regions(blob, header):
    """The regions, in the order of their offsets."""
    return [_record(REGION, Region, blob, REGIONS, index) for index in range(header.regions)]


def read_layers(blob, header):
    """The layers, in the order in which they run."""
    start = REGIONS + header.regions * struct.calcsize(REGION)
    return [_record(LAYER, Layer, blob, start, index) for index in range(header.layers)]


def _check(blob):
    end = len(blob) - struct.calcsize(CHECKSUM)
    (checksum,) = struct.unpack_from(CHECKSUM, blob, end)
    if binascii.crc32(memoryview(blob)[:end]) != checksum:
        raise ModelError("corrupt: its checksum is wrong")


def _record(layout, fields, blob, start, index):
    return fields(*struct.unpack_from(layout, blob, start + index * struct.calcsize(layout)))

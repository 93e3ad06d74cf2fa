"""What a step of a model costs on the board, in instructions."""

import struct
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from ear.spotter import format as layout
from tests.parity import frontend_oracle
from tests.peers import every_model
from tests.targets import xtensa
from tests.targets.device import FIRMWARE

KERNELS = FIRMWARE / "ear" / "spotter" / "model_kernels.py"
_NAMES = {layout.CONV: "conv", layout.DEPTHWISE: "depthwise", layout.ADD: "add"}
_STEPS = 3


class MachineModel:
    """A compiled model whose kernels run on the machine, called as ear.spotter.model does.

    The machine gives each argument memory of its own, so a call gets copies of the arena.
    """

    def __init__(self, blob: bytes, machine: xtensa.Xtensa) -> None:
        self._blob = blob
        self._machine = machine
        self._header = header = layout.read_header(blob)
        self._regions = layout.read_regions(blob, header)
        self._layers = layout.read_layers(blob, header)
        self.arena = bytearray(header.arena)
        for region in self._regions:
            size = region.keep + region.new
            self.arena[region.offset : region.offset + size] = bytes([region.fill]) * size

    def step(self, rows: np.ndarray) -> int:
        """The probability after a step's rows of features (int8 + 128)."""
        call, header, arena = self._machine.call, self._header, self.arena
        for index, row in enumerate(rows):
            place = bytearray(header.row)
            call("transfer", row.tobytes(), place, header.row)
            start = header.input + index * header.input_pitch
            arena[start : start + header.row] = place
        for layer in self._layers:
            self._run(layer)
        probability = self._blob[header.table + arena[header.output]]
        moves = self._blob[layout.REGIONS :]
        call("shift", arena, moves, len(self._regions))
        return probability

    def _run(self, layer) -> None:
        arena, blob = bytes(self.arena), self._blob
        weights = (arena if layer.kind == layout.ADD else blob)[layer.weights :]
        (count,) = struct.unpack_from("<I", blob, layer.parameters + 4)
        y = bytearray(count)  # exactly: a byte too much is seen
        call = self._machine.call
        call(_NAMES[layer.kind], arena[layer.x :], weights, blob[layer.parameters :], y)
        if (layer.lowest, layer.highest) != (0, 255):
            call("clamp", y, layer.lowest, layer.highest, count)
        self.arena[layer.y : layer.y + count] = y


def machine(*, counting: bool) -> xtensa.Xtensa:
    """A machine with the spotter's kernels. Raises QemuMissingError."""
    with tempfile.TemporaryDirectory() as folder:
        functions = xtensa.compile_functions(KERNELS, Path(folder))
    return xtensa.Xtensa(functions, counting)


def instructions_per_step(name: str = "alexa") -> Counter[str]:
    """Instructions of each kernel in a step of a network; `total()` is the step's.

    The inputs are features of speech-like sound. MicroPython's own part, calling the kernels from
    byte code, isn't in it. Raises QemuMissingError.
    """
    counted = machine(counting=True)
    blob = every_model()[name].blob
    model = MachineModel(blob, counted)
    stride = layout.read_header(blob).stride
    speech = frontend_oracle.speech_like(np.random.default_rng(1), 1)
    features = frontend_oracle.quantised(frontend_oracle.raw_features(speech))[20:]
    for start in range(0, _STEPS * stride, stride):
        model.step(features[start : start + stride])
    return Counter({kernel: count // _STEPS for kernel, count in counted.counts.items()})

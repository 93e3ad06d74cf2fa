"""What a hop costs the front end on the board, in instructions."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ear.kernels import Kernels
from tests.parity import frontend_oracle
from tests.targets import xtensa
from tests.targets.device import FIRMWARE

KERNELS = FIRMWARE / "ear" / "audio" / "frontend_kernels.py"
_HOPS = 3


def front_end(machine: Any, kernels: Kernels | None = None):
    """The device's `FrontEnd`, its kernels running on the machine."""
    module = xtensa.import_module("ear.audio.frontend", "ear.audio.frontend_kernels", machine)
    return module.FrontEnd(kernels)


def instructions_per_hop(machine: Any = None, kernels: Kernels | None = None) -> Counter[str]:
    """Instructions of each kernel in a hop of speech-like sound; `total()` is the hop's.

    ``machine``: has other kernels than viper's; ``kernels``: the firmware's choice of them.
    MicroPython's own part, calling the kernels from byte code, isn't in it. Raises
    QemuMissingError.
    """
    if machine is None:
        with tempfile.TemporaryDirectory() as folder:
            machine = xtensa.Xtensa(xtensa.compile_functions(KERNELS, Path(folder)))
    ear = front_end(machine, kernels)
    speech = frontend_oracle.speech_like(np.random.default_rng(1), 1).astype("<i2")
    hops = [bytearray(hop.tobytes()) for hop in speech.reshape(-1, frontend_oracle.HOP)[10:]]
    for hop in hops[:2]:
        ear.push(hop)
    machine.counts.clear()
    for hop in hops[2 : 2 + _HOPS]:
        ear.push(hop)
    return Counter({name: count // _HOPS for name, count in machine.counts.items()})

"""``python -m tests.bench.native``: viper, scalar and vector kernels side by side, and the load.

Instructions are counted: those of viper and scalar code under QEMU, those of vector code on the
model of the core. A core's cycles per instruction are an assumption: 1.0, and 1.4 for caches and
for waits on memory. MicroPython's own part isn't in any figure: for viper kernels a call of each,
for native ones a call of ``run`` a hop and a step, which calls the others and is counted.
"""

import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bluering.native.build import SOURCES, build
from ear.link.frames import CRC, CRC_TABLE, frame_size
from ear.privacy import adpcm
from ear.spotter.format import read_header
from tests.bench import frontend, model
from tests.parity import frontend_oracle
from tests.peers import every_model
from tests.targets import xtensa
from tests.targets.device import FIRMWARE
from tests.targets.mpyfile import native_functions
from tests.targets.native import NativeXtensa, kernels_on
from tests.targets.pie import Core
from tests.targets.xtensa import import_module

WORDS = ("alexa", "computer", "hey_echo")
WAKENET9 = 3.0 / 32  # of a core: Espressif's own benchmark, 3.0 ms of every 32 ms on an ESP32-S3
CPI = (1.0, 1.4)
CORE_HZ = 240_000_000
_HOPS_PER_SECOND = 100
_HOP = 160
CHUNK_MESSAGE = 460  # bytes, about what a recording sends every fifth hop
_STEPS = 3


def native_hop() -> Counter[str]:
    """Scalar instructions of each front end kernel in a hop, and of ``run``, which calls them."""
    core = Core(_functions("frontend", "sequence"))
    return frontend.instructions_per_hop(core, kernels_on(core))


def native_step(name: str) -> Counter[str]:
    """Vector instructions of each kernel in a step of a network, and of ``run``."""
    core: Any = Core(_functions("spotter", "sequence"))
    module = import_module("ear.spotter.model", "ear.spotter.model_kernels", core)
    running = module.Model(every_model()[name].blob, kernels_on(core))
    speech = frontend_oracle.speech_like(np.random.default_rng(1), 1)
    features = frontend_oracle.quantised(frontend_oracle.raw_features(speech))[20:]
    steps = sum(running.push(row.tobytes()) for row in features[: _STEPS * running.stride])
    return Counter({kernel: count // steps for kernel, count in core.counts.items()})


def native_adpcm() -> Counter[str]:
    """Scalar instructions to encode a hop of speech-like sound. Raises QemuMissingError."""
    machine = NativeXtensa(_functions("adpcm"))
    speech = frontend_oracle.speech_like(np.random.default_rng(1), 1).astype("<i2")
    hop = speech[8000 : 8000 + _HOP].tobytes()
    machine.call("encode", hop, bytearray(_HOP // 2), adpcm.new_state(), _HOP)
    return machine.counts


def narrowing() -> tuple[Counter[str], Counter[str]]:
    """Viper and scalar instructions to narrow a hop of a 32-bit microphone.

    Raises QemuMissingError.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = FIRMWARE / "ear" / "audio" / "mic_kernels.py"
        viper = xtensa.Xtensa(xtensa.compile_functions(source, Path(folder)))
    machines = viper, NativeXtensa(_functions("mic"))
    for machine in machines:
        machine.call("narrow", bytes(4 * _HOP), bytearray(2 * _HOP), _HOP, 16)
    return machines[0].counts, machines[1].counts


def sealing(length: int = CHUNK_MESSAGE) -> tuple[Counter[str], Counter[str]]:
    """Viper and scalar instructions to seal a message of random bytes, header included.

    Raises QemuMissingError.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = FIRMWARE / "ear" / "link" / "frame_kernels.py"
        viper = xtensa.Xtensa(xtensa.compile_functions(source, Path(folder)))
    machines = viper, NativeXtensa(_functions("link"))
    for machine in machines:
        message = random.Random(1).randbytes(length) + bytes(CRC)
        machine.call(
            "seal", bytearray(message), length, bytearray(frame_size(length)), 0, CRC_TABLE
        )
    return machines[0].counts, machines[1].counts


def _functions(*parts: str) -> dict[str, bytes]:
    built = (native_functions(build(SOURCES / f"{part}.py")) for part in parts)
    return {name: code for functions in built for name, code in functions.items()}


def load(hop: Counter[str], steps: list[tuple[Counter[str], int]]) -> float:
    """Instructions a second of the front end and some words (each step's counts and stride)."""
    words = sum(counts.total() / stride for counts, stride in steps)
    return _HOPS_PER_SECOND * (hop.total() + words)


def main() -> None:
    """Print both tables. Raises QemuMissingError."""
    viper_hop, scalar_hop = frontend.instructions_per_hop(), native_hop()
    strides = {name: read_header(every_model()[name].blob).stride for name in WORDS}
    viper_steps = {name: model.instructions_per_step(name) for name in WORDS}
    vector_steps = {name: native_step(name) for name in WORDS}
    table = _table("instructions", "viper", "scalar", "vector")
    _add(table, "microphone of 32 bits, a hop", *narrowing(), None)
    _add(table, "front end, a hop", viper_hop, scalar_hop, None)
    for name in WORDS:
        _add(table, f"{name}, a step", viper_steps[name], None, vector_steps[name])
    _add(table, "ADPCM, a hop", None, native_adpcm(), None)
    _add(table, f"frame of {CHUNK_MESSAGE} bytes", *sealing(), None)
    Console().print(table, "")
    kinds = (f"{kind}, CPI {cpi}" for kind in ("viper", "native") for cpi in CPI)
    loads = _table("words on a core at 240 MHz", *kinds)
    for count in range(1, len(WORDS) + 1):
        chosen = WORDS[:count]
        viper = load(viper_hop, [(viper_steps[name], strides[name]) for name in chosen])
        native = load(scalar_hop, [(vector_steps[name], strides[name]) for name in chosen])
        shares = (f"{rate * cpi / CORE_HZ:.1%}" for rate in (viper, native) for cpi in CPI)
        loads.add_row(f"{count}: with {chosen[-1]}", *shares)
    loads.add_row("WakeNet9, measured by its maker", f"{WAKENET9:.1%}", style="dim")
    Console().print(loads)


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _add(table: Table, what: str, *kinds: Counter[str] | None) -> None:
    """A row for all kernels, and one for each; None: there is no such code."""
    table.add_row(what, *("" if counts is None else f"{counts.total():,}" for counts in kinds))
    names = max((counts for counts in kinds if counts is not None), key=len)
    for name, _ in names.most_common():
        cells = ("" if counts is None else f"{counts[name]:,}" for counts in kinds)
        table.add_row(f"  {name}", *cells, style="dim")


if __name__ == "__main__":
    main()

"""The whole application, compiled as for the chip, with no more memory than the chip has.

The runtime is MicroPython for i386 on a model of the ESP32-S3's memory, built by ``setup/chip.sh``;
``chip_runtime/chip_pool.h`` says what it models and what not.
"""

import ast
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from bluering import boards, firmware
from bluering.flash import application
from bluering.native.build import SOURCES
from bluering.native.files import device_files
from bluering.native.mpy import Kind, Mpy, RawCode, parse
from bluering.virtual.runner import VirtualBoard
from bluering.virtual.runtime import Runtime, RuntimeMissingError

BOARD = "esp32s3-devkitc-1"
_HERE = Path(__file__).with_name("chip_runtime")
_VARIABLE = "BLUERING_MICROPYTHON_CHIP"
_BUILT = Path(__file__).parents[2] / ".cache" / "micropython-chip" / "micropython"
_OUTSIDE = "48k"  # holds the stand-ins for hardware, which aren't the chip's
_CODES = "chip_codes.txt"
_TWINS = {
    "adpcm": "privacy/adpcm_kernels.py",
    "frontend": "audio/frontend_kernels.py",
    "link": "link/frame_kernels.py",
    "mic": "audio/mic_kernels.py",
    "spotter": "spotter/model_kernels.py",
}


@dataclass(frozen=True)
class Memory:
    """What is there when the prompt appears, in bytes.

    regions: ESP-IDF's free blocks in the order in which they are used, the heap's first area
    included, each ``SIZE:USES`` of the uses h (heap), x (executable code), d (DMA);
    heap: the first area; prompt: what is in use of it.
    """

    regions: tuple[str, ...]
    heap: int = 65536
    prompt: int = 2480


# The stock image without PSRAM. From gc.mem_free() at the prompt, 225,360 bytes, 61,520 are the
# heap's, the rest is the largest free block; the second region's was seen when the first was full.
INTERNAL = Memory(("237000:hxd", "32300:hd"))
# With 8 MB of PSRAM the heap lies there, code and DMA buffers don't.
OCTAL = Memory(("8257536:h", "237000:xd", "32300:d"))


def find() -> Path:
    """The runtime; raises RuntimeMissingError where set-up couldn't build it."""
    path = Path(os.environ.get(_VARIABLE) or _BUILT)
    if not os.access(path, os.X_OK):
        raise RuntimeMissingError(
            f"no MicroPython with the chip's memory: {path} is not there. Run 'make setup' in the "
            f"project's folder (Linux on x86-64, with apt), or name one in {_VARIABLE}."
        )
    return path


@dataclass(frozen=True)
class Use:
    """What is in use once something was done, in bytes after a collection.

    done: ``prompt``, a module that was imported, or ``read``; own: what a module took of the heap
    for itself, without those that it imported; used: of the heap; total: the heap's areas; run: its
    largest free run; free: what the pool has left; largest: its largest free block for the heap;
    code: executable code.
    """

    done: str
    own: int
    used: int
    total: int
    run: int
    free: int
    largest: int
    code: int


def uses(board: VirtualBoard) -> list[Use]:
    """What was in use on a board so far, as ``runtime`` was told to watch it; of all its starts."""
    lines = (board.flash / "memory.json").read_text().splitlines()
    return [Use(*json.loads(line)) for line in lines]


def code_on_chip(board: str = BOARD) -> list[int]:
    """The length of each piece of native code as the chip loads it."""
    return [int(line.split()[2]) for line in _application(board)[1].splitlines()]


def runtime(
    memory: Memory = INTERNAL,
    board: str = BOARD,
    program: Path = _HERE / "start.py",
    watch: int = 0,
    imports: bool = False,
) -> Runtime:
    """The runtime for VirtualBoard, with the application compiled for that board in its flash.

    ``program`` calls ``chip_start.begin()`` before anything of the application runs. ``uses`` gets
    a figure each ``watch`` reads of the microphone (0: never), and for each module if ``imports``.
    Raises RuntimeMissingError.
    """
    files, codes = _application(board)
    return Runtime(
        find(),
        options=("-X", f"heapsize={_OUTSIDE}"),
        environment={
            "BLUERING_POOL": ",".join(memory.regions),
            "BLUERING_POOL_HEAP": str(memory.heap),
            "BLUERING_POOL_PROMPT": str(memory.prompt),
            "BLUERING_POOL_CODE": _CODES,
            "BLUERING_POOL_WATCH": str(watch),
            "BLUERING_POOL_IMPORTS": "1" if imports else "",
        },
        search=(_HERE,),
        files={**files, _CODES: codes},
        program=program,
    )


@functools.cache
def _application(board: str) -> tuple[dict[str, bytes], bytes]:
    """Every file of the application by its path, and what its native code is on the chip."""
    table = boards.load(board)
    on_chip = application.compiled(table)
    files = application.compiled(table, march="x86")
    digests = {}
    for part in _TWINS:
        path = f"/ear/native/{part}.mpy"
        files[path] = _native_part(part)
        digests[part] = hashlib.sha256(files[path]).hexdigest()
    assert {f"ear/native/{part}.mpy" for part in _TWINS} < set(device_files())
    files["/ear/native/index.json"] = json.dumps(digests).encode()
    pairs = [
        pair
        for path, data in files.items()
        if path.endswith(".mpy")
        for pair in zip(
            _machine_code(parse(data)), _machine_code(parse(on_chip[path])), strict=True
        )
    ]
    lines = [f"{_fnv1a(here.code):x} {len(here.code):x} {len(there.code)}" for here, there in pairs]
    return files, "\n".join(lines).encode()


def _machine_code(mpy: Mpy) -> Iterator[RawCode]:
    pending = [mpy.module]
    while pending:
        raw = pending.pop()
        pending += raw.children
        if raw.kind is not Kind.BYTECODE:
            yield raw


def _native_part(part: str) -> bytes:
    """In place of a part's assembler kernels: functions that hand over to their viper twins."""
    path = _TWINS[part]
    twins = ast.parse((firmware.PACKAGE / path).read_text())
    taken = {node.name: len(node.args.args) for node in twins.body if _is_function(node)}
    package, module = path.removesuffix(".py").split("/")
    lines = ["import micropython", f"from ear.{package} import {module} as _twins"]
    for name, count in _kernels(SOURCES / f"{part}.py"):
        parameters = ", ".join(f"a{i}" for i in range(count))
        arguments = ", ".join(f"a{i}" for i in range(taken[name]))
        lines += ["@micropython.native", f"def {name}({parameters}):"]
        lines += [f"    return _twins.{name}({arguments})"]
    with tempfile.TemporaryDirectory() as folder:
        return application._compile(f"ear/native/{part}.py", "\n".join(lines), "x86", folder)


def _kernels(source: Path) -> Iterator[tuple[str, int]]:
    """Each kernel's name and how many arguments its docstring says."""
    for node in ast.parse(source.read_text()).body:
        if _is_function(node) and node.decorator_list:
            said = (ast.get_docstring(node) or "").partition("(")[2].partition(")")[0]
            yield node.name, len(said.split(","))


def _is_function(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef)


def _fnv1a(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value

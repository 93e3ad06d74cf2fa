"""A device without a chip: viper kernels under QEMU, native ones on the modelled core."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

from bluering.native.build import SOURCES, build
from tests.targets.mpyfile import native_functions
from tests.targets.pie import Core
from tests.targets.xtensa import Xtensa, compile_functions

FIRMWARE = Path(__file__).parents[2] / "firmware"
TWINS = {
    "adpcm": "ear.privacy.adpcm_kernels",
    "frontend": "ear.audio.frontend_kernels",
    "link": "ear.link.frame_kernels",
    "mic": "ear.audio.mic_kernels",
    "spotter": "ear.spotter.model_kernels",
}
_USERS = ("ear.audio.frontend", "ear.audio.mic", "ear.spotter.model")


PARTS = (*TWINS, "sequence")


def native_code(part: str) -> dict[str, bytes]:
    """The machine code of a part's native kernels."""
    return native_functions(build(SOURCES / f"{part}.py"))


def whole_core() -> Core:
    """A core with the native kernels of all parts."""
    parts = [native_code(part) for part in PARTS]
    functions = {name: code for part in parts for name, code in part.items()}
    assert len(functions) == sum(map(len, parts))
    return Core(functions)


@contextmanager
def viper_under_qemu(folder: Path) -> Iterator[dict[str, ModuleType]]:
    """The viper modules, importable, each function as machine code. Raises QemuMissingError."""
    modules = {}
    for part, name in TWINS.items():
        source = FIRMWARE / (name.replace(".", "/") + ".py")
        machine = Xtensa(compile_functions(source, folder), counting=False)
        modules[part] = _module(name, machine, machine.functions)
    with _imported({TWINS[part]: module for part, module in modules.items()}):
        yield modules


def native_module(part: str, core: Core) -> ModuleType:
    """A native module whose functions run on the core, which may have those of other parts too."""
    return _module(f"ear.native.{part}", core, native_code(part))


def _module(name: str, machine: Xtensa | Core, functions: Iterable[str]) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function, partial(machine.call, function))
    return module


@contextmanager
def _imported(modules: dict[str, ModuleType]) -> Iterator[None]:
    before = {name: sys.modules.get(name) for name in (*modules, *_USERS)}
    for name in _USERS:
        sys.modules.pop(name, None)
    sys.modules.update(modules)
    for name, module in modules.items():
        package, _, last = name.rpartition(".")
        setattr(sys.modules.get(package) or __import__(package, fromlist=["_"]), last, module)
    try:
        yield
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module
        for name in modules:
            package, _, last = name.rpartition(".")
            delattr(sys.modules[package], last)

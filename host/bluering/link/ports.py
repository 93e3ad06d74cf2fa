"""Which port a selector means, and opening it; every failure says what to do about it."""

import errno
import os
from pathlib import Path

import serial
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from bluering.errors import BlueRingError

BAUD = 115200  # of the stock image's UART; USB ports and sockets don't care
_WRITE_TIMEOUT_S = 1.0
ESPRESSIF = 0x303A
_PLUG_IN = "is the board plugged in? Else name another port"


class PortError(BlueRingError):
    """A port is not there, is ambiguous, or can't be opened."""


def find() -> list[ListPortInfo]:
    """The serial ports of this computer, USB ones first."""
    return sorted(list_ports.comports(), key=lambda port: (port.vid is None, port.device))


def describe(found: list[ListPortInfo]) -> list[str]:
    """A line for each port: its path, how to select it by its serial number, what it is."""
    return [
        "  ".join(
            [port.device]
            + ([f"id:{port.serial_number}"] if port.serial_number else [])
            + ([port.description] if port.description not in (None, "n/a") else [])
        )
        for port in found
    ]


def resolve(selector: str) -> str:
    """The path or URL that a selector means now.

    ``auto`` is the only board there is; ``id:SERIAL`` the port with that USB serial number;
    anything else is a path or a pyserial URL already. Raises PortError.
    """
    if selector == "auto":
        return _only_board(find())
    if selector.startswith("id:"):
        return _by_serial_number(selector.removeprefix("id:"), find())
    return selector


def _only_board(found: list[ListPortInfo]) -> str:
    usb = [port for port in found if port.vid is not None]
    boards = [port for port in usb if port.vid == ESPRESSIF] or usb
    if len(boards) == 1:
        return boards[0].device
    if boards:
        raise PortError(
            f"{len(boards)} ports may be the board.{_listed(boards)}", "choose one with --port"
        )
    raise PortError(
        f"no board was found on USB.{_listed(found)}",
        "plug it in with a cable that carries data, or name the port with --port",
    )


def _by_serial_number(number: str, found: list[ListPortInfo]) -> str:
    for port in found:
        if port.serial_number and port.serial_number.lower() == number.lower():
            return port.device
    raise PortError(f"no port has the serial number {number}.{_listed(found)}", _PLUG_IN)


def _listed(found: list[ListPortInfo]) -> str:
    lines = describe(found) or ["none"]
    return "\nPorts found:" + "".join(f"\n  {line}" for line in lines)


def open_port(selector: str) -> serial.SerialBase:
    """Open the port for this program alone; reading never waits. Raises PortError."""
    url = resolve(selector)
    # pyserial's RFC 2217 client knows none.
    write_timeout = None if url.startswith("rfc2217:") else _WRITE_TIMEOUT_S
    try:
        return serial.serial_for_url(
            url, BAUD, timeout=0, write_timeout=write_timeout, exclusive=True
        )
    except ValueError as error:
        raise PortError(f"{url} is no port that can be opened: {error}") from error
    except OSError as error:
        raise _explained(url, error) from error


def pseudo_terminal(selector: str) -> tuple[str, int, int] | None:
    """What tells the pseudo-terminal behind a path from a later one; None for any other port.

    It ends for good with the program that made it, and its number is given to the next one: only a
    link that was made anew leads to another.
    """
    try:
        real = os.path.realpath(selector)
        if not real.startswith("/dev/pts/"):
            return None
        if real == selector:
            return real, 0, 0
        link = os.lstat(selector)
    except OSError:
        return None
    return real, link.st_ino, link.st_ctime_ns


def _explained(url: str, error: OSError) -> PortError:
    """Why a port couldn't be opened, and what to do."""
    if "://" in url:
        return PortError(
            f"could not reach {url}: {error}",
            "is the other side running, and is this its address?",
        )
    if error.errno in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        return PortError(f"there is no port {url}.{_listed(find())}", _PLUG_IN)
    if error.errno in (errno.EACCES, errno.EPERM):
        group = _group(url)
        return PortError(
            f"no permission to open {url}: it belongs to the group {group}",
            f"join it with 'sudo usermod -aG {group} $USER', then log out and in again",
        )
    if error.errno in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
        return PortError(
            f"{url} is in use by another program",
            "close that one (another monitor, a serial terminal, Thonny, mpremote); "
            f"'fuser {url}' names it",
        )
    return PortError(
        f"could not open {url}: {error}",
        "if this is the board's port, plug the board out and in again and retry",
    )


def _group(path: str) -> str:
    try:
        return Path(path).group()
    except (OSError, KeyError):
        return "dialout"


def has_descriptor(port: serial.SerialBase) -> bool:
    """Whether one can wait for the port with select."""
    try:
        port.fileno()
    except (AttributeError, OSError):
        return False
    return True

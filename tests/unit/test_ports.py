"""Port selectors, and what is said when a port can't be opened."""

import errno
import os
import socket
from pathlib import Path

import pytest
import serial
from serial.tools.list_ports_common import ListPortInfo

from bluering.link import ports
from bluering.link.ports import PortError
from tests.unit.pretend_device import PretendDevice


def port(device: str, vid: int | None = None, number: str | None = None) -> ListPortInfo:
    info = ListPortInfo(device)
    info.vid = vid
    info.serial_number = number
    info.description = "a board" if vid else "n/a"
    return info


_S3 = port("/dev/ttyACM0", 0x303A, "F412FA")
_OTHER_S3 = port("/dev/ttyACM1", 0x303A, "F412FB")
_BRIDGE = port("/dev/ttyUSB0", 0x10C4, "0001")
_BUILT_IN = port("/dev/ttyS0")


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[ListPortInfo]:
    """The computer's ports, for the test to fill."""
    found: list[ListPortInfo] = []
    monkeypatch.setattr(ports.list_ports, "comports", lambda: list(found))
    return found


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ([_S3], _S3),
        ([_BUILT_IN, _S3], _S3),
        ([_BRIDGE, _S3], _S3),  # the chip's maker is the better guess
        ([_BRIDGE, _BUILT_IN], _BRIDGE),
    ],
)
def test_auto_takes_the_only_board(
    plugged: list[ListPortInfo], found: list[ListPortInfo], chosen: ListPortInfo
) -> None:
    plugged += found
    assert ports.resolve("auto") == chosen.device


def test_auto_finds_none(plugged: list[ListPortInfo]) -> None:
    with pytest.raises(PortError, match=r"no board was found.*\nPorts found:\n  none"):
        ports.resolve("auto")
    plugged.append(_BUILT_IN)
    with pytest.raises(PortError, match="/dev/ttyS0"):
        ports.resolve("auto")


def test_auto_can_not_choose_between_two(plugged: list[ListPortInfo]) -> None:
    plugged += [_S3, _OTHER_S3]
    with pytest.raises(PortError, match="2 ports") as caught:
        ports.resolve("auto")
    assert "/dev/ttyACM0  id:F412FA  a board" in str(caught.value)
    assert "/dev/ttyACM1  id:F412FB  a board" in str(caught.value)


def test_by_serial_number(plugged: list[ListPortInfo]) -> None:
    plugged += [_S3, _OTHER_S3]
    assert ports.resolve("id:f412fb") == "/dev/ttyACM1"
    with pytest.raises(PortError, match=r"number 77.*\n.*\n  /dev/ttyACM0"):
        ports.resolve("id:77")


@pytest.mark.parametrize("name", ["/dev/ttyACM7", "COM3", "socket://host:1", "rfc2217://host:1"])
def test_anything_else_stays_as_it_is(name: str) -> None:
    assert ports.resolve(name) == name


def test_usb_ports_are_listed_first(plugged: list[ListPortInfo]) -> None:
    plugged += [_BUILT_IN, _BRIDGE]
    assert ports.describe(ports.find()) == ["/dev/ttyUSB0  id:0001  a board", "/dev/ttyS0"]


def test_no_such_port(plugged: list[ListPortInfo], tmp_path: Path) -> None:
    plugged.append(_S3)
    with pytest.raises(PortError, match=r"no port .*/gone\.\n.*\n  /dev/ttyACM0") as caught:
        ports.open_port(str(tmp_path / "gone"))
    assert "is the board plugged in?" in caught.value.hint


def test_a_port_is_opened_once(tmp_path: Path) -> None:
    device = PretendDevice(tmp_path)
    device.plug()
    first = ports.open_port(str(device.path))
    with pytest.raises(PortError, match="in use by another program"):
        ports.open_port(str(device.path))
    first.close()
    ports.open_port(str(device.path)).close()
    device.unplug()


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise serial.SerialException(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(ports.serial, "serial_for_url", refuse)
    with pytest.raises(PortError, match=r"no permission .* group dialout") as caught:
        ports.open_port("/dev/no-such-port")
    assert "'sudo usermod -aG dialout $USER'" in caught.value.hint


def test_no_serial_port_at_all(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a terminal")
    with pytest.raises(PortError, match=r"could not open .*file"):
        ports.open_port(str(file))


def test_url_that_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    with pytest.raises(PortError, match=r"could not reach socket://") as caught:
        ports.open_port(f"socket://127.0.0.1:{number}")
    assert "other side running" in caught.value.hint


def test_url_that_is_none() -> None:
    with pytest.raises(PortError, match="gopher://x is no port"):
        ports.open_port("gopher://x")

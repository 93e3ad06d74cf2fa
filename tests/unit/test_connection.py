"""A connection to a device that is plugged in and out, on pseudo-terminals and sockets."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from serial.rfc2217 import PortManager

from bluering.link import (
    Connection,
    Disconnected,
    Event,
    Garbage,
    LinkLostError,
    Lost,
    PortError,
    Received,
    Reconnected,
    ports,
)
from bluering.link.records import Bye, HelloRequest, Telemetry
from tests.unit.pretend_device import ALEXA, HELLO, PretendDevice

_PATIENCE_S = 20


def wait_for(connection: Connection, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """The events until there are enough of them."""
    events: list[Event] = []
    end = time.monotonic() + _PATIENCE_S
    while not enough(events):
        assert time.monotonic() < end, f"only this came: {events}"
        events += connection.poll(0.05)
    return events


def messages(events: list[Event]) -> list[object]:
    return [event.message for event in events if isinstance(event, Received)]


def test_asks_for_the_hello_and_hears_it(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        assert device.heard() == [HelloRequest()]
        before = time.monotonic()
        device.say(HELLO, ALEXA)
        events = wait_for(connection, lambda events: len(events) >= 2)
        assert messages(events) == [HELLO, ALEXA]
        assert all(before <= event.at <= time.monotonic() for event in events)


def test_sends_in_numbered_frames(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        connection.send(Telemetry(3, 100))
        heard = device.heard()
        heard += device.heard() if len(heard) < 2 else []
        assert heard == [HelloRequest(), Telemetry(3, 100)]


def test_noise_and_half_frames_do_no_harm(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        device.write(b"MicroPython v1.27.0\r\n>>> ")
        device.say(HELLO)
        device.write(device.frame(ALEXA)[:-9])
        device.say(Bye("x"))
        events = wait_for(connection, lambda events: Bye("x") in messages(events))
        assert messages(events) == [HELLO, Bye("x")]
        assert [event.frames for event in events if isinstance(event, Lost)] == [1]
        assert sum(isinstance(event, Garbage) for event in events) == 2


def test_text_comes_through_although_nothing_follows_it(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        device.write(b"Traceback (most recent call last):\r\n")
        (event,) = wait_for(connection, lambda events: bool(events))
        assert isinstance(event, Garbage)
        assert event.text == "Traceback (most recent call last):"


def test_unplugged_and_plugged_in_again(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        device.say(HELLO)
        wait_for(connection, lambda events: bool(events))
        device.write(device.frame(ALEXA)[:-9])
        assert connection.poll(_PATIENCE_S) == []
        device.unplug()
        events = wait_for(connection, lambda events: len(events) >= 2)
        assert [type(event) for event in events] == [Garbage, Disconnected]
        assert connection.port is None
        with pytest.raises(LinkLostError, match="could not send bye"):
            connection.send(Bye(""))
        device.plug()
        (event,) = wait_for(connection, lambda events: bool(events))
        assert isinstance(event, Reconnected)
        assert event.port == connection.port == str(device.path)
        assert device.heard() == [HelloRequest()]
        device.say(ALEXA)
        assert messages(wait_for(connection, lambda events: bool(events))) == [ALEXA]


def test_a_device_that_ran_on_while_unplugged_shows_what_was_missed(
    device: PretendDevice,
) -> None:
    with Connection(str(device.path)) as connection:
        device.say(HELLO)
        wait_for(connection, lambda events: bool(events))
        device.unplug()
        device.frame(Bye("nobody hears this"))
        wait_for(connection, lambda events: bool(events))
        device.plug()
        wait_for(connection, lambda events: bool(events))
        device.say(HELLO)
        events = wait_for(connection, lambda events: HELLO in messages(events))
        assert [event.frames for event in events if isinstance(event, Lost)] == [1]


def test_the_first_opening_must_work(tmp_path: Path) -> None:
    with pytest.raises(PortError):
        Connection(str(tmp_path / "nothing"))


def test_events_end_in_time(device: PretendDevice) -> None:
    with Connection(str(device.path)) as connection:
        device.say(HELLO)
        assert messages(list(connection.events(duration=0.2))) == [HELLO]


def test_over_tcp() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = "socket://{}:{}".format(*server.getsockname())
        with Connection(url) as connection:
            peer, _ = server.accept()
            with peer:
                peer.sendall(PretendDevice(Path()).frame(HELLO))
                assert messages(wait_for(connection, lambda events: bool(events))) == [HELLO]
            (event,) = wait_for(connection, lambda events: bool(events))
            assert isinstance(event, Disconnected)


def _serve_rfc2217(server: socket.socket) -> None:
    """Be a port server for one client; what the client sends, it gets back."""
    client, _ = server.accept()
    with client, serial.serial_for_url("loop://", timeout=0) as port:
        # Its type hints name other classes than its own example passes.
        ends: tuple[Any, Any] = port, SimpleNamespace(write=client.sendall)
        manager = PortManager(*ends)
        while data := client.recv(1000):
            port.write(b"".join(manager.filter(data)))
            client.sendall(b"".join(manager.escape(port.read(1000))))


def test_over_rfc2217() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=_serve_rfc2217, args=(server,), daemon=True)
        serving.start()
        with Connection("rfc2217://{}:{}".format(*server.getsockname())) as connection:
            connection.send(HELLO)
            events = wait_for(connection, lambda events: len(events) >= 2)
            assert messages(events) == [HelloRequest(), HELLO]
        serving.join(_PATIENCE_S)
        assert not serving.is_alive()


def test_through_a_port_that_can_not_be_waited_on() -> None:
    # loop:// gives back what is written, and has no file descriptor.
    with Connection("loop://") as connection:
        connection.send(HELLO)
        events = wait_for(connection, lambda events: len(events) >= 2)
        assert messages(events) == [HelloRequest(), HELLO]


def test_a_port_is_not_closed_in_the_middle_of_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread reads and finds the device gone while another sends."""
    writing, closed, wrote_to_closed = threading.Event(), threading.Event(), []

    class Port:
        port = "pretend"

        def write(self, data: bytes) -> int:
            writing.set()
            time.sleep(0.2)
            wrote_to_closed.append(closed.is_set())
            return len(data)

        def close(self) -> None:
            closed.set()

    monkeypatch.setattr(ports, "open_port", lambda _: Port())
    connection = Connection("pretend")
    writing.clear()
    sender = threading.Thread(target=connection.send, args=(HelloRequest(),))
    sender.start()
    assert writing.wait(10)
    connection.close()
    sender.join()
    assert closed.is_set()
    assert wrote_to_closed == [False, False]
    with pytest.raises(LinkLostError):
        connection.send(HelloRequest())


@pytest.mark.parametrize("by_link", [False, True])
def test_a_pseudo_terminal_of_another_is_left_alone(tmp_path: Path, by_link: bool) -> None:
    """Its number is given away again; only a link that was made anew is followed."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    name = tmp_path / "board"
    name.symlink_to(path)
    with Connection(str(name) if by_link else path) as connection:
        os.close(slave)
        os.close(master)
        wait_for(connection, lambda events: any(isinstance(e, Disconnected) for e in events))
        master, slave = os.openpty()
        if os.ttyname(slave) != path:
            pytest.skip("another program took the number first")
        os.set_blocking(master, False)
        assert list(connection.events(1.0)) == []
        with pytest.raises(BlockingIOError):
            os.read(master, 100)
        name.unlink()
        name.symlink_to(path)
        if by_link:
            wait_for(connection, lambda events: any(isinstance(e, Reconnected) for e in events))
    os.close(slave)
    os.close(master)

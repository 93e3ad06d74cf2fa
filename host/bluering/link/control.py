"""Ask a running device for something, and wait for its answer."""

import json
import time
from collections.abc import Iterator
from datetime import datetime

from bluering.errors import BlueRingError
from bluering.link.connection import Disconnected
from bluering.link.reader import Received
from bluering.link.records import (
    Bye,
    Hello,
    HelloRequest,
    Log,
    Record,
    Repl,
    Setting,
    SettingChange,
    SettingsRequest,
    Time,
)
from bluering.link.wire import Link
from ear.settings import SETTINGS, SettingError, check

_PATIENCE_S = 10.0
_POLL_S = 0.2
_LOG = "setting"  # the code of the device's logs about settings


class ControlError(BlueRingError):
    """The device didn't answer, or refused."""


def tell_time(link: Link) -> None:
    """Tell the device the local time of day, which its night and quiet hours need."""
    now = datetime.now()
    link.send(Time(now.hour * 60 + now.minute))


def settings(link: Link) -> dict[str, object]:
    """All settings of the device by name. Raises ControlError."""
    link.send(SettingsRequest())
    link.send(HelloRequest())
    found: dict[str, object] = {}
    for message in _messages(link):
        if isinstance(message, Setting):
            found[message.name] = json.loads(message.value)
        # The answer to the hello's request comes behind the last setting.
        elif isinstance(message, Hello) and all(one.name in found for one in SETTINGS):
            return found
    raise ControlError(_silent("its settings"))


def change(link: Link, name: str, value: object) -> object:
    """Change a setting; the value that the device has then. Raises ControlError."""
    try:
        check(name, value)
    except SettingError as error:
        raise ControlError(str(error), "'bluering config get' lists the settings") from error
    link.send(SettingChange(name, json.dumps(value)))
    for message in _messages(link):
        if isinstance(message, Setting) and message.name == name:
            return json.loads(message.value)
        if isinstance(message, Log) and message.code == _LOG:
            raise ControlError(f"the device refused it: {message.text}")
    raise ControlError(_silent(f"a change of {name}"))


def leave(link: Link, patience: float = _PATIENCE_S) -> bool:
    """Ask the application to leave for the REPL; whether it said so."""
    link.send(Repl())
    return any(isinstance(message, Bye) for message in _messages(link, patience))


def _messages(link: Link, patience: float = _PATIENCE_S) -> Iterator[Record]:
    """The messages until ``patience`` is over, or the device gone."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        for event in link.poll(_POLL_S):
            if isinstance(event, Received):
                yield event.message
            elif isinstance(event, Disconnected):
                return


def _silent(what: str) -> str:
    return (
        f"the device didn't answer when asked for {what}: does it run the application? "
        "'bluering doctor' tells"
    )

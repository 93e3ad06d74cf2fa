"""Events for programs: one JSON object each."""

import json
from datetime import UTC, datetime
from typing import Any

from bluering.link import Disconnected, Event, Garbage, Lost, Received, Reconnected, Undecodable
from bluering.link.records import Log, Record, Ring
from bluering.monitor.wording import wall_time
from ear.link.messages import SEVERITIES
from ear.ring import STATES


def line(event: Event) -> str:
    """The event as one line of JSON.

    ``event`` is the message's name, or lost, garbage, undecodable, disconnected or
    reconnected; ``time`` the computer's time in UTC; ``at`` a clock in seconds that never
    jumps. The rest are the message's fields: hashes and colours in hex, states by name.
    """
    name, fields = _fields(event)
    moment = datetime.fromtimestamp(wall_time(event.at), UTC).isoformat(timespec="milliseconds")
    return json.dumps({"event": name, "time": moment, "at": round(event.at, 6), **fields})


def _fields(event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Received(message=message):
            return message.declaration.name, _message(message)
        case Lost(frames=frames):
            return "lost", {"frames": frames}
        case Garbage(data=data, text=text):
            return "garbage", {"bytes": len(data), "text": text, "data": data.hex()}
        case Undecodable(kind=kind, reason=reason):
            return "undecodable", {"kind": kind, "reason": reason}
        case Disconnected(reason=reason):
            return "disconnected", {"reason": reason}
        case Reconnected(port=port):
            return "reconnected", {"port": port}


def _message(message: Record) -> dict[str, Any]:
    fields = {
        name: _plain(kind, getattr(message, name)) for name, kind in message.declaration.fields
    }
    match message:
        case Ring(state=state) if state < len(STATES):
            fields["state"] = STATES[state]
        case Log(severity=severity) if severity < len(SEVERITIES):
            fields["severity"] = SEVERITIES[severity]
    return fields


def _plain(kind: str, value: Any) -> Any:
    if kind == "u8s":
        return list(value)
    return value.hex() if isinstance(value, bytes) else value

"""Records to payloads and back, by the fields that ``ear.link.messages`` declares."""

import struct

from bluering.link.records import RECORDS, Record
from ear.link.messages import COUNTED, FIXED, HELLO, VERSION

_Value = int | bytes | str


class PayloadError(Exception):
    """A frame came through unharmed, but its payload is none that is declared."""


def pack(record: Record) -> bytes:
    """The payload of a message."""
    fields = record.declaration.fields
    return b"".join(_put(kind, getattr(record, name)) for name, kind in fields)


def unpack(kind: int, payload: bytes) -> Record:
    """The message that came as ``kind`` with this payload; raises PayloadError."""
    if kind not in RECORDS:
        raise PayloadError(f"no message has the number {kind}")
    if kind == HELLO.id and payload[:1] != bytes([VERSION]):
        raise PayloadError(
            f"the firmware speaks version {payload[0] if payload else '?'} of the protocol and "
            f"this program version {VERSION}: update whichever is older"
        )
    record = RECORDS[kind]
    values: list[_Value] = []
    at = 0
    for name, field_kind in record.declaration.fields:
        try:
            value, at = _take(field_kind, payload, at)
        except struct.error:
            raise PayloadError(f"a {record.declaration.name} ends inside its {name}") from None
        values.append(value)
    if at != len(payload):
        raise PayloadError(f"a {record.declaration.name} has {len(payload) - at} bytes too many")
    return record(*values)


def _put(kind: str, value: _Value) -> bytes:
    if kind == "position":
        assert isinstance(value, int)
        return struct.pack("<HI", value & 0xFFFF, value >> 16)
    if kind in FIXED:
        return struct.pack("<" + FIXED[kind], value)
    assert isinstance(value, bytes | str)
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<" + COUNTED[kind], len(data)) + data


def _take(kind: str, payload: bytes, at: int) -> tuple[_Value, int]:
    layout = struct.Struct("<" + (FIXED.get(kind) or COUNTED[kind]))
    values = layout.unpack_from(payload, at)
    at += layout.size
    if kind == "position":
        low, high = values
        return low | high << 16, at
    if kind in FIXED:
        return values[0], at
    (length,) = values
    # As a struct too, so that bytes that aren't there are found missing in one way.
    (data,) = struct.unpack_from(f"{length}s", payload, at)
    return data.decode(errors="replace") if kind == "str" else data, at + length

"""The frames' hot loops; what a frame is, and the plain twins of these, are in ``frames``."""

from array import array

import micropython

# CRC-32 (polynomial 0xEDB88320, reflected), four bits at a time.
_CRC = array(
    "I",
    (
        0x00000000,
        0x1DB71064,
        0x3B6E20C8,
        0x26D930AC,
        0x76DC4190,
        0x6B6B51F4,
        0x4DB26158,
        0x5005713C,
        0xEDB88320,
        0xF00F9344,
        0xD6D6A3E8,
        0xCB61B38C,
        0x9B64C2B0,
        0x86D3D2D4,
        0xA00AE278,
        0xBDBDF21C,
    ),
)


@micropython.viper
def seal(message: ptr8, length: int, ring, at: int) -> int:
    """Write the frame of ``message[:length]`` (header and payload) to ``ring`` from ``at`` on.

    message: room for 4 more bytes, where the CRC is left. ring: its length is a power of
    two and holds the frame; indices wrap round. Returns the frame's length.
    Exact with ``frames.seal``.
    """
    table = ptr32(_CRC)
    crc = -1
    i = 0
    while i < length:
        crc ^= message[i]
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        i += 1
    end = length + 4
    while i < end:
        message[i] = (crc & 255) ^ 255
        crc >>= 8
        i += 1
    out = ptr8(ring)
    mask = int(len(ring)) - 1  # noqa: RUF046 (an object until it is cast)
    out[at & mask] = 0
    code_at = at + 1
    put = at + 2
    code = 1
    i = 0
    while i < end:
        byte = message[i]
        i += 1
        if byte != 0:
            out[put & mask] = byte
            put += 1
            code += 1
        if byte == 0 or code == 255:
            out[code_at & mask] = code
            code_at = put
            put += 1
            code = 1
    out[code_at & mask] = code
    out[put & mask] = 0
    return put + 1 - at


@micropython.viper
def unseal(body: ptr8, length: int, message: ptr8) -> int:
    """Read the frame ``body[:length]``, its zeros taken off, into ``message``.

    message: at least ``length`` bytes. Returns the length of header and payload, or -1 when
    this isn't a whole and unharmed frame. Exact with ``frames.unseal``.
    """
    at = 0
    put = 0
    while at < length:
        code = body[at]
        at += 1
        end = at + code - 1
        if end > length:
            return -1
        while at < end:
            message[put] = body[at]
            at += 1
            put += 1
        if code < 255 and at < length:
            message[put] = 0
            put += 1
    put -= 4
    if put < 3:
        return -1
    table = ptr32(_CRC)
    crc = -1
    i = 0
    while i < put:
        crc ^= message[i]
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        i += 1
    end = put + 4
    while i < end:
        if message[i] != (crc & 255) ^ 255:
            return -1
        crc >>= 8
        i += 1
    return put


@micropython.viper
def copy(source: ptr8, length: int, target: ptr8, at: int) -> int:
    """Copy ``source[:length]`` to ``target`` from ``at`` on; returns the end of the copy."""
    i = 0
    while i < length:
        target[at + i] = source[i]
        i += 1
    return at + length

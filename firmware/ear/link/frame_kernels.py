"""The frames' hot loops; ``frames`` says what a frame is, and does the same in plain Python."""

import micropython


@micropython.viper
def seal(message: ptr8, length: int, out: ptr8, at: int, table: ptr32) -> int:
    """Write the frame of ``message[:length]``, header and payload, to ``out`` from ``at`` on.

    message: room for 4 more bytes, where its CRC-32 is left, zlib's, little-endian; table:
    frames.CRC_TABLE. Returns the frame's length, at most ``frames.frame_size`` of the payload.
    """
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
    out[at] = 0
    code_at = at + 1
    put = at + 2
    code = 1
    i = 0
    while i < end:
        byte = message[i]
        i += 1
        if byte != 0:
            out[put] = byte
            put += 1
            code += 1
        if byte == 0 or code == 255:
            out[code_at] = code
            code_at = put
            put += 1
            code = 1
    out[code_at] = code
    out[put] = 0
    return put + 1 - at


@micropython.viper
def check_crc(message: ptr8, length: int, table: ptr32) -> int:
    """Whether ``message[:length]`` ends with the CRC-32 of what stands before it.

    table: frames.CRC_TABLE. Returns the length without the CRC, or -1 when it is wrong.
    """
    content = length - 4
    if content < 0:
        return -1
    crc = -1
    i = 0
    while i < content:
        crc ^= message[i]
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        crc = table[crc & 15] ^ ((crc >> 4) & 0x0FFFFFFF)
        i += 1
    while i < length:
        if message[i] != (crc & 255) ^ 255:
            return -1
        crc >>= 8
        i += 1
    return content


@micropython.viper
def unstuff(body: ptr8, length: int, message: ptr8) -> int:
    """Decode the COBS coding ``body[:length]``, its zeros taken off, into ``message``.

    message: at least ``length`` bytes. Returns the decoded length, or -1 when the coding is
    broken.
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
    return put


@micropython.viper
def copy_into(source: ptr8, length: int, target: ptr8, at: int) -> int:
    """Copy ``source[:length]`` to ``target`` from ``at`` on; returns the end of the copy."""
    i = 0
    while i < length:
        target[at + i] = source[i]
        i += 1
    return at + length

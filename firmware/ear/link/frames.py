"""Frames: how a message travels on a stream of bytes, beside text that is none.

    0x00 | COBS( kind u8 | sequence u16 | payload, 0..512 bytes | CRC-32 u32 ) | 0x00

Numbers are little-endian. The CRC is zlib's CRC-32 of all that stands before it. COBS
(Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999) leaves no zero byte inside, so
that any zero ends whatever came before: a receiver that joins late, or finds a REPL's text or
half a frame, is in step again at the next zero. Each direction numbers its frames; a
frame that was dropped before sending takes a number too, so that its loss shows.
"""

import binascii
from array import array

HEADER = 3
CRC = 4
MAX_PAYLOAD = 512

# What became of a byte given to a decoder.
PENDING = 0
FRAME = 1
GARBAGE = 2


def _crc_of(nibble):
    for _ in range(4):
        nibble = nibble >> 1 ^ (0xEDB88320 if nibble & 1 else 0)
    return nibble


# What the kernels need for the CRC, four bits at a time.
CRC_TABLE = array("I", [_crc_of(nibble) for nibble in range(16)])


def frame_size(payload):
    """The largest size that a frame with so many bytes of payload can have."""
    content = HEADER + payload + CRC
    return content + content // 254 + 3


MAX_FRAME = frame_size(MAX_PAYLOAD)


def seal(message, length, out, at):
    """Write the frame of ``message[:length]`` (header and payload) to ``out`` from ``at`` on.

    message: room for 4 more bytes, where the CRC is left; out: room for the frame. Returns
    the frame's length. The plain twin of the kernel ``seal``.
    """
    crc = binascii.crc32(memoryview(message)[:length])
    for place in range(CRC):
        message[length + place] = (crc >> (8 * place)) & 0xFF
    out[at] = 0
    code_at = at + 1
    put = at + 2
    code = 1
    for place in range(length + CRC):
        byte = message[place]
        if byte:
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


def unseal(body, length, message):
    """Read the frame ``body[:length]``, its zeros taken off, into ``message``.

    message: at least ``length`` bytes. Returns the length of header and payload, or -1 when
    this isn't a whole and unharmed frame. The plain twin of the kernels ``unstuff`` and
    ``check_crc``.
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
    put -= CRC
    if put < HEADER:
        return -1
    crc = binascii.crc32(memoryview(message)[:put])
    for place in range(CRC):
        if message[put + place] != (crc >> (8 * place)) & 0xFF:
            return -1
    return put


def encode(kind, sequence, payload=b""):
    """One frame as bytes."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError("a payload has at most %d bytes" % MAX_PAYLOAD)  # noqa: UP031
    message = bytearray((kind, sequence & 0xFF, sequence >> 8))
    message += payload
    length = len(message)
    message += bytes(CRC)
    frame = bytearray(MAX_FRAME)
    return bytes(frame[: seal(message, length, frame, 0)])


class Decoder:
    """Finds the frames in a stream of bytes, one byte at a time.

    After ``push`` returned FRAME, ``kind``, ``sequence`` and ``payload[:length]`` hold the
    frame, and ``missed`` the number of frames that are missing before it. After GARBAGE,
    ``body[:filled]`` is what wasn't one. Both hold until the next call. ``ended``: no frame has
    begun since the last. ``garbage`` counts the bytes that belonged to no frame.
    """

    def __init__(self, unseal=unseal, capacity=MAX_FRAME):
        self._unseal = unseal
        self._expected = -1
        self.ended = True
        self._message = bytearray(capacity)
        self.body = bytearray(capacity)
        self.filled = 0
        self.payload = memoryview(self._message)[HEADER:]
        self.kind = 0
        self.sequence = 0
        self.length = 0
        self.missed = 0
        self.garbage = 0

    def push(self, byte):
        """Take the next byte; tells what it brought: PENDING, FRAME or GARBAGE."""
        if self.ended:
            self.filled = 0
            self.ended = False
        if byte:
            self.body[self.filled] = byte
            self.filled += 1
            # A frame's body is shorter than this.
            return self._refuse() if self.filled == len(self.body) else PENDING
        self.ended = True
        if self.filled == 0:
            return PENDING
        size = self._unseal(self.body, self.filled, self._message)
        return self._refuse() if size < 0 else self._accept(size)

    def _refuse(self):
        self.ended = True
        self.garbage += self.filled
        return GARBAGE

    def _accept(self, size):
        message = self._message
        self.kind = message[0]
        self.sequence = message[1] | message[2] << 8
        self.length = size - HEADER
        if self._expected >= 0:
            self.missed = (self.sequence - self._expected) & 0xFFFF
        self._expected = (self.sequence + 1) & 0xFFFF
        return FRAME

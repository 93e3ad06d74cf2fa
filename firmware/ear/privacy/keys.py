"""Keys and tags: HMAC-SHA-256 (RFC 2104) and HKDF (RFC 5869), plain Python for both sides.

A device has one key of 32 bytes, written when it is provisioned. From it, each recording gets
a key for encryption and one for authentication, which depend on a fresh random salt and on
the recording's id. The id is never used twice (see ``identity``), so no two recordings share
a key even if the salt should repeat.
"""

import hashlib
import struct

KEY_SIZE = 32
SALT_SIZE = 16
TAG_SIZE = 32

_BLOCK = 64  # of SHA-256
RECORDING = b"bluering recording 1"
_CONTROL = b"bluering control 1"


class Hmac:
    """HMAC-SHA-256 with one key. A tag allocates two hash objects and two digests."""

    def __init__(self, key):
        """``key``: at most 64 bytes."""
        self._inner = bytearray(_BLOCK)
        self._outer = bytearray(_BLOCK)
        for place in range(_BLOCK):
            byte = key[place] if place < len(key) else 0
            self._inner[place] = byte ^ 0x36
            self._outer[place] = byte ^ 0x5C

    def tag(self, *parts):
        """The 32-byte tag of all parts, one after the other."""
        inner = hashlib.sha256(self._inner)
        for part in parts:
            inner.update(part)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


def hkdf(secret, salt, info, length):
    """``length`` bytes (at most 8160) from HKDF-SHA-256."""
    expand = Hmac(Hmac(salt).tag(secret))
    output = b""
    block = b""
    count = 0
    while len(output) < length:
        count += 1
        block = expand.tag(block, info, bytes((count,)))
        output += block
    return output[:length]


def recording_keys(device_key, salt, boot, number):
    """(encryption key, authentication key) of the recording ``number`` after start ``boot``."""
    info = RECORDING + struct.pack("<II", boot, number)
    keys = hkdf(device_key, salt, info, 2 * KEY_SIZE)
    return keys[:KEY_SIZE], keys[KEY_SIZE:]


def control_key(device_key):
    """The key that authenticates what a device asks for outside a recording's sound."""
    return hkdf(device_key, b"", _CONTROL, KEY_SIZE)


def sealed_parts(message, payload, tag_at):
    """What a message's tag covers: its id, and its payload without the tag at ``tag_at``."""
    view = memoryview(payload)
    return bytes((message.id,)), view[:tag_at], view[tag_at + TAG_SIZE :]


def write_tag(mac, message, payload):
    """Write the tag that ends a message's fixed fields; ``mac``: the ``Hmac`` of its key."""
    at = message.size - TAG_SIZE
    payload[at : at + TAG_SIZE] = mac.tag(*sealed_parts(message, payload, at))

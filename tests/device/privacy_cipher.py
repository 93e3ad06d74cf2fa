"""On MicroPython: keys, tags and ciphertexts of given inputs as JSON, for the host to check."""

import sys

sys.path.insert(0, sys.argv[1])

import binascii
import gc
import json

from ear.privacy import keys
from ear.privacy.cipher import Cipher

CAPACITY = 404


def unhex(text):
    return binascii.unhexlify(text)


def tohex(data):
    return binascii.hexlify(data).decode()


def answer(case):
    encryption, authentication = keys.recording_keys(
        unhex(case["key"]), unhex(case["salt"]), case["boot"], case["number"]
    )
    cipher = Cipher(CAPACITY)
    cipher.start(encryption)
    data = bytearray(unhex(case["data"]))
    cipher.apply(case["sequence"], data, len(data))
    tag = keys.Hmac(authentication).tag(b"header", data)
    return {
        "control": tohex(keys.control_key(unhex(case["key"]))),
        "data": tohex(data),
        "tag": tohex(tag),
    }


def allocated(act):
    """The bytes that a call leaves behind on the heap, with the collector off."""
    act()
    gc.collect()
    gc.disable()
    before = gc.mem_free()
    act()
    used = before - gc.mem_free()
    gc.enable()
    return used


with open(sys.argv[2]) as file:
    cases = json.load(file)
cipher = Cipher(CAPACITY)
mac = keys.Hmac(bytes(32))
chunk = bytearray(CAPACITY)
header = bytes(13)
print(
    json.dumps(
        {
            "answers": [answer(case) for case in cases],
            "hkdf": tohex(keys.hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)),
            "start_bytes": allocated(lambda: cipher.start(bytes(32))),
            "apply_bytes": allocated(lambda: cipher.apply(1, chunk, CAPACITY)),
            "tag_bytes": allocated(lambda: mac.tag(header, chunk)),
        }
    )
)

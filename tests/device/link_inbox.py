"""On MicroPython: the inbox on stdin; prints each message, and after the last one its counts."""

import sys

sys.path.insert(0, sys.argv[1])

import binascii
import time

from ear.link.inbox import Inbox

LAST = 99
PATIENCE_MS = 20000

inbox = Inbox(sys.stdin.buffer, budget=16)
waited_ms = 0
while inbox.kind != LAST and waited_ms < PATIENCE_MS:
    if inbox.poll():
        print(inbox.kind, binascii.hexlify(bytes(inbox.payload[: inbox.length])).decode())
    else:
        time.sleep_ms(1)
        waited_ms += 1
print("garbage", inbox._decoder.garbage, "lost", inbox.lost)

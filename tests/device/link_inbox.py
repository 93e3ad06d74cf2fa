"""On MicroPython: the inbox on stdin; prints each message, then its counts when stdin ends."""

import sys

sys.path.insert(0, sys.argv[1])

import binascii
import time

from ear.link.inbox import Inbox

LAST = 99

inbox = Inbox(sys.stdin.buffer, budget=16)
while inbox.kind != LAST:
    if inbox.poll():
        print(inbox.kind, binascii.hexlify(inbox.payload[: inbox.length]).decode())
    else:
        time.sleep_ms(1)
print("garbage", inbox.garbage, "lost", inbox.lost)

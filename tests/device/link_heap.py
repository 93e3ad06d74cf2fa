"""On MicroPython, with the heap locked: 1,000 rounds of telemetry, written to stdout.

The inbox looks at an empty stdin all the while. Standard error gets the verdict.
"""

import sys

sys.path.insert(0, sys.argv[1])

import micropython

from ear.link import messages, telemetry
from ear.link.inbox import Inbox
from ear.link.outbox import Outbox


class Detector:
    def write_to(self, outputs, newest, mean):
        outputs[newest] = 250
        outputs[mean] = 240


class Word:
    detector = Detector()


outbox = Outbox(sys.stdout.buffer)
inbox = Inbox(sys.stdin.buffer)
scores = telemetry.Scores([Word(), Word(), Word()], outbox)
sha256 = bytes(range(32))
name = b"alexa"
newest = bytearray((10, 20, 30, 40, 50))
colours = bytearray(range(36))


def round_of(number):
    scores.send(number, 2, 32767)
    telemetry.wake(outbox, number, 2, 1, 214, 213, sha256, name, newest)
    telemetry.ring(outbox, number, 2, 3, colours)
    telemetry.health(outbox, number, 2, number, 2, 0, 0, 9999, 123456, 1)
    assert not inbox.poll()
    while outbox.pending:
        outbox.pump()


def run():
    for number in range(1000):
        round_of(number)


texts = ["1.2.3", "böard", "MicroPython"]
others = sum(kind == "str" for _, kind in messages.HELLO.fields) - len(texts)
telemetry.hello(outbox, 0xFFFFFFFF, 16000, 160, 3, 12, *texts, *[""] * others)
telemetry.word(outbox, 0, 213, 5, 3, sha256, "alexa")
telemetry.log(outbox, 2, "model", "it is broken")
micropython.heap_lock()
try:
    run()
finally:
    micropython.heap_unlock()
telemetry.bye(outbox, "done")
while outbox.pending:
    outbox.pump()
print("dropped", outbox.dropped, file=sys.stderr)

"""On the virtual board: the application as it is, and beside it the trace of link and ring.

For each write to the LEDs, ``trace`` gets the number of bytes that had left on the link before
(u32) and whether the LEDs took it (u8). ``BLUERING_RING_FAILS``: every so many-th write fails; 0:
none does. ``BLUERING_GATE_FAULT``: a fault made in the gate's table, for whoever checks the trace.
"""

import os
import struct

import wires

from ear.link.outbox import Outbox
from ear.privacy import gate

FAULTS = {
    "leaves blue while it sends": (
        (gate.RECORDING, gate.DEADLINE, gate.SENDING, (gate.END, gate.SHOW_IDLE)),
    ),
    "records under another light": (
        (
            gate.LISTENING,
            gate.WAKE_RECORD,
            gate.RECORDING,
            (gate.REPORT, gate.SHOW_WOKEN, gate.BEGIN),
        ),
    ),
    "blue without a recording": (
        (gate.LISTENING, gate.WAKE_RECORD, gate.WOKEN, (gate.REPORT, gate.SHOW_BLUE)),
    ),
    "hears while muted": (
        (gate.LISTENING, gate.SWITCH_ON, gate.MUTED, (gate.SHOW_MUTED,)),
        (gate.DONE, gate.SWITCH_ON, gate.MUTED, (gate.SHOW_MUTED,)),
        (
            gate.RECORDING,
            gate.SWITCH_ON,
            gate.MUTED,
            (gate.END, gate.CLOSE, gate.SHOW_MUTED),
        ),
        (gate.SENDING, gate.SWITCH_ON, gate.MUTED, (gate.CLOSE, gate.SHOW_MUTED)),
    ),
    "ends nothing": ((gate.RECORDING, gate.DEADLINE, gate.DONE, (gate.SHOW_IDLE,)),),
    "": (),
}
FAILS = int(os.getenv("BLUERING_RING_FAILS") or 0)
trace = open("trace", "wb")  # noqa: SIM115
entry = bytearray(5)
pump, show_light = Outbox.pump, wires.show_light
sent = 0
writes = 0


def counted_pump(outbox):
    """``Outbox.pump`` is the only way out of the device."""
    global sent
    written = pump(outbox)
    sent += written
    return written


def traced_show_light(data):
    """Note the write, then do it, or fail."""
    global writes
    writes += 1
    works = not FAILS or writes % FAILS
    struct.pack_into("<IB", entry, 0, sent, 1 if works else 0)
    trace.write(entry)
    trace.flush()
    if not works:
        raise OSError(5)
    show_light(data)


for state, event, after, actions in FAULTS[os.getenv("BLUERING_GATE_FAULT") or ""]:
    gate.TABLE[state][event] = after, actions
Outbox.pump = counted_pump
wires.show_light = traced_show_light

from ear import boot

boot.main()

"""A link that is as slow as a board's, out of pipes that aren't."""

import array
import fcntl
import os
import select
import termios
import threading
import time
from contextlib import suppress

_FIFO = 128  # what a UART takes at once
_SMALLEST_PIPE = 4096
_RING_RECHECK_S = 0.002


def outward(source: int, rate: int) -> int:
    """The end at which what is written to the pipe ``source`` arrives, ``rate`` bytes a second.

    Who writes finds the pipe full until all that was written before is out. ``source`` is closed
    when it has ended.
    """
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # on Linux
        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, _SMALLEST_PIPE)
    ours, sink = os.pipe()
    _start("link out", source, sink, rate, 0)
    return ours


def inward(sink: int, rate: int, ring: int) -> int:
    """The end to write to for what is to arrive in the pipe ``sink``, ``rate`` bytes a second.

    No more than ``ring`` bytes wait there; what comes faster is held back. ``sink`` is closed when
    the writer has ended.
    """
    source, ours = os.pipe()
    _start("link in", source, sink, rate, ring)
    return ours


def _start(name: str, source: int, sink: int, rate: int, ring: int) -> None:
    arguments = (source, sink, rate, ring)
    threading.Thread(target=_carry, args=arguments, name=name, daemon=True).start()


def _carry(source: int, sink: int, rate: int, ring: int) -> None:
    """Pass bytes on until one end closes, then close the other."""
    both = select.poll()
    both.register(source, select.POLLIN)
    both.register(sink, 0)  # says when nobody reads any more
    due = 0.0
    with suppress(BrokenPipeError), os.fdopen(source, "rb", 0), os.fdopen(sink, "wb", 0):
        while not _abandoned(sink):
            room = ring - _waiting(sink) if ring else _FIFO
            if room <= 0:
                time.sleep(_RING_RECHECK_S)
                continue
            if source not in dict(both.poll()):
                continue
            data = os.read(source, min(room, _FIFO))
            if not data:
                return
            now = time.monotonic()
            due = max(now, due) + len(data) / rate
            time.sleep(due - now)
            os.write(sink, data)


def _abandoned(sink: int) -> bool:
    poll = select.poll()
    poll.register(sink, 0)
    return bool(poll.poll(0))


def _waiting(pipe: int) -> int:
    """The bytes in a pipe that were not read yet."""
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]

"""What the stand-ins share: the wires to the runner, and the board's clock.

The runner passes open file descriptors by number in the environment: sound comes in on one,
light goes out on one, switches come in on one. ``BLUERING_PACE`` is ``real`` or ``fast``.
Nothing here allocates after start-up, as on the board.
"""

import os
import struct
import sys

import uselect as select
import utime

from ear.audio.format import HOP_US

FAST = os.getenv("BLUERING_PACE") == "fast"
_TICKS_MASK = (1 << 29) - 1  # stays a small integer on a 32-bit runtime

_sound = open(int(os.getenv("BLUERING_SOUND_FD")), "rb")
_light = open(int(os.getenv("BLUERING_LIGHT_FD")), "wb")
_switches = open(int(os.getenv("BLUERING_SWITCH_FD")), "rb")
_beats = open(int(os.getenv("BLUERING_BEAT_FD")), "wb")
_switch_poll = select.poll()
_switch_poll.register(_switches, select.POLLIN)
_link_poll = select.poll()
_link_poll.register(sys.stdout, select.POLLOUT)

_levels = bytearray([1] * 64)  # pulled up, as the board's inputs are
_change = bytearray(2)
_light_head = bytearray(6)
_beat = bytearray(2)


# A poll allocates its result when it is first used.
for _poll in (_switch_poll, _link_poll):
    for _ in _poll.ipoll(0):
        pass


class _Clock:
    hops = 0  # delivered by the microphone
    slept_us = 0


def ticks_us():
    """Microseconds: the computer's, or in fast mode those of the sound that was heard."""
    if FAST:
        return (_Clock.hops * HOP_US + _Clock.slept_us) & _TICKS_MASK
    return utime.ticks_us() & _TICKS_MASK


def sleep_us(duration):
    """Wait; in fast mode the clock moves on at once, and the computer is spared a busy loop."""
    if FAST:
        _Clock.slept_us += duration
        duration //= 64
    utime.sleep_us(duration)


def read_sound(buffer, hops):
    """Fill ``buffer`` with the next hops of 16-bit samples; returns the bytes read, fewer at the
    end."""
    if FAST:
        # Wait for a host that is behind, so that a fast run loses no telemetry.
        for _ in _link_poll.ipoll(-1):
            pass
    count = _sound.readinto(buffer)
    _Clock.hops += hops
    return count


def show_light(data):
    """Pass one write to the LEDs on: position in hops (u32), length (u16), the wire's bytes."""
    struct.pack_into("<IH", _light_head, 0, _Clock.hops, len(data))
    _light.write(_light_head)
    _light.write(data)


def level(pin):
    """The level of an input pin as the runner last set it."""
    while _pending():
        _switches.readinto(_change)
        _levels[_change[0]] = _change[1]
    return _levels[pin]


def _pending():
    for ready in _switch_poll.ipoll(0):
        return ready[1] & select.POLLIN
    return False


def beat(timeout_ms):
    """Feed the watchdog, which the runner is; in fast mode there is no time to run out."""
    if not FAST:
        struct.pack_into("<H", _beat, 0, timeout_ms)
        _beats.write(_beat)

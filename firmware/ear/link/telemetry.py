"""Writes the device's messages into the outbox.

Those that are sent while listening (scores, wake, ring, health) allocate nothing; texts in
them are bytes. A position is its low 16 bits and the rest, both small integers.
"""

import struct

from ear.link import messages
from ear.link.frame_kernels import copy_into
from ear.link.frames import CRC, HEADER, frame_size


def hello(outbox, session, sample_rate, hop, words, leds, firmware, board, runtime, kernels):
    """Present the device; texts are str."""
    payload = outbox.payload
    message = messages.HELLO
    struct.pack_into(
        message.format, payload, 0, messages.VERSION, session, sample_rate, hop, words, leds
    )
    at = _text(payload, message.size, firmware)
    at = _text(payload, at, board)
    at = _text(payload, at, runtime)
    at = _text(payload, at, kernels)
    return outbox.send(message.id, at)


def word(outbox, index, cutoff, window, stride, model_sha256, name):
    """Present a wake word; ``name`` is str, ``model_sha256`` 32 bytes."""
    message = messages.WORD
    struct.pack_into(message.format, outbox.payload, 0, index, cutoff, window, stride, model_sha256)
    return outbox.send(message.id, _text(outbox.payload, message.size, name))


class Scores:
    """The message that is sent most: it is kept, and only what changes is written.

    words: their detectors write into it; outbox: sends it, and must have its kernels by now.
    """

    def __init__(self, words, outbox):
        count = len(words)
        self._size = messages.SCORES.size + 2 + 2 * count
        self._room = frame_size(self._size)
        self._message = message = bytearray(HEADER + self._size + CRC)
        message[0] = messages.SCORES.id
        first = HEADER + messages.SCORES.size + 1
        message[first - 1] = message[first + count] = count
        for index, word in enumerate(words):
            word.detector.write_to(message, first + index, first + count + 1 + index)
        self._high = 0
        self._outbox = outbox
        self._kept = outbox.keep(message)

    def send(self, low, high, peak):
        """Send the words' newest outputs, with the position and the newest hop's peak."""
        message = self._message
        message[HEADER] = low & 0xFF
        message[HEADER + 1] = low >> 8
        message[HEADER + 6] = peak & 0xFF
        message[HEADER + 7] = peak >> 8
        if high != self._high:
            self._set_high(high)
        return self._outbox.send_kept(self._kept, self._size, self._room)

    def _set_high(self, high):
        self._high = high
        struct.pack_into("<I", self._message, HEADER + 2, high)


def wake(outbox, low, high, index, score, cutoff, model_sha256, name, newest):
    """Send a wake and its reasons; ``name`` and ``newest`` (oldest first) are bytes."""
    message = messages.WAKE
    struct.pack_into(
        message.format, outbox.payload, 0, low, high, index, score, cutoff, model_sha256
    )
    at = _counted(outbox.payload, message.size, name)
    return outbox.send(message.id, _counted(outbox.payload, at, newest))


def ring(outbox, low, high, state, colours):
    """Send what the ring shows; ``colours`` has three bytes for each LED."""
    payload = outbox.payload
    message = messages.RING
    struct.pack_into(message.format, payload, 0, low, high, state)
    count = len(colours)
    at = message.size
    payload[at] = count & 0xFF
    payload[at + 1] = count >> 8
    return outbox.send(message.id, _put(payload, at + 2, colours))


def health(
    outbox,
    low,
    high,
    hops_low,
    hops_high,
    gaps,
    samples_lost,
    slowest_us,
    free_heap,
    scores_every,
):
    """Send how the device is doing."""
    message = messages.HEALTH
    struct.pack_into(
        message.format,
        outbox.payload,
        0,
        low,
        high,
        hops_low,
        hops_high,
        gaps,
        samples_lost,
        outbox.dropped,
        slowest_us,
        free_heap,
        scores_every,
    )
    return outbox.send(message.id, message.size)


def log(outbox, severity, code, text):
    """Tell a person something; ``severity`` is an index into ``messages.SEVERITIES``."""
    message = messages.LOG
    struct.pack_into(message.format, outbox.payload, 0, severity)
    at = _text(outbox.payload, message.size, code)
    return outbox.send(message.id, _text(outbox.payload, at, text))


def setting(outbox, name, value):
    """Tell a setting's value; both are str, the value is JSON."""
    at = _text(outbox.payload, 0, name)
    return outbox.send(messages.SETTING.id, _text(outbox.payload, at, value))


def wired_credit(outbox, hops):
    """Grant the host ``hops`` more hops of sound by wire."""
    outbox.payload[0] = hops
    return outbox.send(messages.WIRED_CREDIT.id, messages.WIRED_CREDIT.size)


def bye(outbox, reason):
    """Say that the application leaves."""
    return outbox.send(messages.BYE.id, _text(outbox.payload, 0, reason))


def _text(payload, at, text):
    # Cut to what its length byte can say.
    return _counted(payload, at, text.encode()[:255])


def _counted(payload, at, data):
    payload[at] = len(data)
    return _put(payload, at + 1, data)


def _put(payload, at, data):
    # The kernel checks no bounds.
    if at + len(data) > len(payload):
        raise ValueError("message too long")
    return copy_into(data, len(data), payload, at)

"""Tells the host of wakes that the owner marked as false, authenticated by the device's key."""

import struct

from ear.link import messages
from ear.privacy import keys

_TIMES = 3  # how often the host is told: one message may be lost
_PAUSE = 50  # hops between them


class FalseWakes:
    """One mark at a time; a device without an identity has none.

    identity: the device's (``identity.Identity``); outbox: the link's.
    """

    def __init__(self, identity, outbox):
        self._identity = identity
        self._outbox = outbox
        self._control = keys.Hmac(keys.control_key(identity.key))
        self._message = bytearray(messages.FALSE_WAKE.size)
        self._pause = 0
        self.waiting = 0  # how often it is still to be told

    def mark(self, wake, number):
        """A wake was wrong: recording ``number``, unless it is 0, is to be deleted.

        What is to be told is fixed here: a wake that follows changes nothing about it.
        """
        message = messages.FALSE_WAKE
        struct.pack_into(
            message.format,
            self._message,
            0,
            self._identity.id,
            self._identity.boot,
            number,
            wake.low,
            wake.high,
            bytes(keys.TAG_SIZE),
        )
        keys.write_tag(self._control, message, self._message)
        self.waiting = _TIMES
        self._pause = 0
        self.tick(1)

    def tick(self, hops):
        """Tell the host, while it is to be told; ``hops`` passed."""
        if not self.waiting:
            return
        if self._pause > 0:
            self._pause -= hops
        elif self._tell():
            self.waiting -= 1
            self._pause = _PAUSE

    def _tell(self):
        """False when the outbox had no room for it."""
        message = messages.FALSE_WAKE
        self._outbox.payload[: message.size] = self._message
        return self._outbox.send(message.id, message.size)

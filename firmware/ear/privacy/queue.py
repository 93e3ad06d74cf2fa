"""Finished messages wait here for a slow link, in memory allocated at the start."""


class Queue:
    """A first-in, first-out ring of ``slots`` equal slots of ``size`` bytes, filled and sent in
    place."""

    def __init__(self, slots, size):
        # Each for itself: in a heap that is nearly full, small pieces are found where large aren't.
        self._slots = [memoryview(bytearray(size)) for _ in range(slots)]
        self._lengths = [0] * slots
        self._kinds = bytearray(slots)
        self._head = 0
        self.newest = self._slots[0]  # to fill next; only while any is free
        self.waiting = 0

    def free(self):
        """The number of slots that can still be filled."""
        return len(self._slots) - self.waiting

    def commit(self, kind, length):
        """``newest`` holds a message of this kind and of ``length`` bytes now: it waits."""
        self._kinds[self._head] = kind
        self._lengths[self._head] = length
        self._head = (self._head + 1) % len(self._slots)
        self.newest = self._slots[self._head]
        self.waiting += 1

    def send_oldest(self, outbox):
        """Hand the message that waits longest to the outbox; False when that has no room."""
        tail = (self._head - self.waiting) % len(self._slots)
        length = self._lengths[tail]
        outbox.payload[:length] = self._slots[tail][:length]
        if not outbox.send(self._kinds[tail], length):
            return False
        self.waiting -= 1
        return True

    def clear(self):
        """Forget what waits."""
        self.waiting = 0

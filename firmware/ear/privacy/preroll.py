"""The last half second before a wake, kept only where the owner allowed it."""

from ear.audio.format import HOP_BYTES

HOPS = 50  # 0.5 s, the most there can be
_SILENCE = bytes(HOP_BYTES)


class PreRoll:
    """A ring of hops; its 16 KB are allocated here."""

    def __init__(self):
        sound = memoryview(bytearray(HOPS * HOP_BYTES))
        self._hops = tuple(sound[at : at + HOP_BYTES] for at in range(0, len(sound), HOP_BYTES))
        self._next = 0
        self._filled = 0
        self._holds = False  # any sound, also what was taken

    def push(self, hop, lost):
        """Keep a hop; sound before a gap is forgotten, since it doesn't adjoin."""
        if lost:
            self.clear()
        self._hops[self._next][:] = hop
        self._holds = True
        self._next = (self._next + 1) % HOPS
        self._filled = min(self._filled + 1, HOPS)

    def take(self):
        """The hops kept, oldest first; they are valid until the next ``push``."""
        first = self._next - self._filled
        taken = [self._hops[(first + place) % HOPS] for place in range(self._filled)]
        self._filled = 0
        return taken

    def clear(self):
        """Forget everything."""
        if self._holds:
            for hop in self._hops:
                hop[:] = _SILENCE
            self._filled = 0
            self._holds = False

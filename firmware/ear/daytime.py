"""The time of day, as far as the host told it: the device has no clock that survives a reset."""

_HOPS_PER_MINUTE = 6000
_MINUTES = 24 * 60
UNKNOWN = -1


class DayTime:
    """The minute of the day, 0..1439, or UNKNOWN."""

    def __init__(self):
        self.minute = UNKNOWN
        self._hops = 0

    def set(self, minute):
        """The host says what time it is."""
        self.minute = minute % _MINUTES
        self._hops = 0

    def tick(self, hops=1):
        """Count hops; True when a new minute began."""
        if self.minute == UNKNOWN:
            return False
        self._hops += hops
        if self._hops < _HOPS_PER_MINUTE:
            return False
        self._hops -= _HOPS_PER_MINUTE
        self.minute = (self.minute + 1) % _MINUTES
        return True

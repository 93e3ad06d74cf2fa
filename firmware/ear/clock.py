"""Time, counted in hops of sound."""


class Clock:
    """A count of hops as two small integers, so that counting never allocates.

    ``low`` is 0..65535, ``high`` counts its overflows: hops = high * 65536 + low. A 32-bit
    runtime keeps both small for over 20,000 years.
    """

    def __init__(self):
        self.low = 0
        self.high = 0

    def advance(self, hops=1):
        """Count ``hops`` more."""
        low = self.low + hops
        if low > 0xFFFF:
            self.high += low >> 16
            low &= 0xFFFF
        self.low = low

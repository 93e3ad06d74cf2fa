"""What a recording says of itself: the wake that caused it, and what its owner allows."""

CONSENT_REVIEW = 1
CONSENT_PRE_ROLL = 2


class Wake:
    """Why the device woke; filled by the application before it tells the gate."""

    def __init__(self):
        self.low = 0  # position of the hop that woke it, in hops: low 16 bits
        self.high = 0  # and the rest
        self.word = 0
        self.score = 0
        self.cutoff = 0
        self.model_sha256 = bytes(32)
        self.name = b""

"""Hears when somebody has finished speaking.

A hop counts as speech when two things hold. The smoothed sum of its features exceeds a floor:
in the features steady noise is suppressed already. And its smoothed peak exceeds a share of the
loudest of late: a television across the room sounds like speech in the features, which are
normalised, but not as loud as the person who spoke to the device. Speech ends after a hangover
without any.
"""

_SMOOTHING = 3  # a time constant of 2**3 hops
_FLOOR = 1200  # of the sum of 40 features, 0..10200
_SHARE = 2  # a quarter of the loudest, as a shift: 12 dB
_FADING = 9  # the loudest is forgotten with a time constant of 2**9 hops: a slammed door passes
GRACE_HOPS = 200  # after the wake word, for a speaker who pauses before the command
HANGOVER_HOPS = 80


def _total(features, count):
    """What the kernel does."""
    return sum(features[:count])


class EndPointer:
    """Counts hops since the wake; allocates nothing after it was made."""

    def __init__(self, grace=GRACE_HOPS, hangover=HANGOVER_HOPS, total=_total):
        """``grace``: hops before which silence ends nothing; ``hangover``: hops of silence;
        ``total``: the kernel of ``endpointer_kernels``, else its plain twin."""
        self._total = total
        self._grace = grace
        self._hangover = hangover
        self.reset()

    def reset(self):
        """A recording begins."""
        self._hops = 0
        self._quiet = 0
        self._level = 0  # the smoothed sum and the smoothed peak, times 2**_SMOOTHING
        self._peak = 0
        self._loudest = 0

    def push(self, features, peak):
        """Take one hop: 40 features (0..255), peak 0..32767; True when speech has ended."""
        self._level += self._total(features, len(features)) - (self._level >> _SMOOTHING)
        self._peak += peak - (self._peak >> _SMOOTHING)
        self._loudest = max(self._loudest - (self._loudest >> _FADING), self._peak)
        self._hops += 1
        speech = self._level >> _SMOOTHING > _FLOOR and self._peak > self._loudest >> _SHARE
        self._quiet = 0 if speech else self._quiet + 1
        return self._hops >= self._grace and self._quiet >= self._hangover

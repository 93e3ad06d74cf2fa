"""Hears when somebody has finished speaking.

Works on the front end's features, in which steady noise is suppressed already. A hop counts as
speech when the smoothed sum of its features exceeds both a fixed floor and a share of the
loudest speech so far, so that a quieter voice or a radio in the background doesn't hold a
recording open. Speech ends after a hangover without any.
"""

_SMOOTHING = 3  # a time constant of 2**3 hops
_FLOOR = 1200  # of the sum of 40 features, 0..10200
_SHARE = 2  # a quarter of the loudest, as a shift
GRACE_HOPS = 200  # after the wake word, for a speaker who pauses before the command
HANGOVER_HOPS = 80


class EndPointer:
    """Counts hops since the wake; allocates nothing after it was made."""

    def __init__(self, grace=GRACE_HOPS, hangover=HANGOVER_HOPS):
        """``grace``: hops before which silence ends nothing; ``hangover``: hops of silence."""
        self._grace = grace
        self._hangover = hangover
        self.reset()

    def reset(self):
        """A recording begins."""
        self._hops = 0
        self._quiet = 0
        self._level = 0  # the smoothed sum, times 2**_SMOOTHING
        self._loudest = 0

    def push(self, features):
        """Take one hop's 40 features (0..255 each); True when speech has ended."""
        self._level += sum(features) - (self._level >> _SMOOTHING)
        level = self._level >> _SMOOTHING
        self._loudest = max(self._loudest, level)
        self._hops += 1
        if level > _FLOOR and level > self._loudest >> _SHARE:
            self._quiet = 0
        else:
            self._quiet += 1
        return self._hops >= self._grace and self._quiet >= self._hangover

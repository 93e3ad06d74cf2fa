"""Decides from a word's probabilities when it was heard: ESPHome's rule for microWakeWord models.

It follows ESPHome's micro_wake_word/streaming_model.cpp: the word is heard when the last N
probabilities add up to more than N cutoffs. After switching on, and again after each wake, a
number of hops must pass before the next one, and only hops whose newest probability is below the
cutoff count: one long utterance wakes once.
"""

REFRACTORY_HOPS = 100  # a second: one utterance wakes once
WARMUP_HOPS = 74  # ESPHome's MIN_SLICES_BEFORE_DETECTION


class Detector:
    """The state of one word's decision. Probabilities and the cutoff are 0..255."""

    def __init__(self, cutoff, window, stride, refractory_hops, warmup_hops=WARMUP_HOPS):
        """``cutoff``: int(probability_cutoff * 255); ``window``: probabilities that are averaged;
        ``stride``: hops from one probability to the next."""
        self._window = window
        self.set_cutoff(cutoff)
        self._stride = stride
        self._refractory_hops = refractory_hops
        self._warmup_hops = warmup_hops
        self._ring = bytearray(window)  # the last probabilities
        self.write_to(bytearray(2), 0, 1)
        self.reset()

    def write_to(self, outputs, newest, mean):
        """Write each step's probability and mean to these places of ``outputs``, too."""
        self._outputs = outputs
        self._newest_at = newest
        self._mean_at = mean

    def set_cutoff(self, cutoff):
        """Wake above this one from now on, 0..255."""
        self._cutoff = cutoff
        self._threshold = cutoff * self._window

    def step(self, probability):
        """Take a new probability; True once for each time the word is heard."""
        if self._silent and not probability:
            return False  # as nearly always: nothing would change
        ring = self._ring
        place = self._place
        window = self._window
        total = self._total + probability
        if self._counted == window:
            total -= ring[place]
        else:
            self._counted += 1
        self._total = total
        ring[place] = probability
        place += 1
        self._place = 0 if place == window else place
        self.mean = total // window
        self._outputs[self._newest_at] = probability
        self._outputs[self._mean_at] = self.mean
        if self._waiting:
            self._cool_off(probability)
        self._last = probability
        if total <= self._threshold or self._waiting:
            self._silent = not (total or self._waiting) and self._counted == window
            return False
        self._total = self._counted = 0
        self._waiting = self._refractory_hops
        self._last = 0
        return True

    def write_newest(self, into):
        """Write the last probabilities, oldest first, into the ``window`` bytes of ``into``."""
        place = self._place
        for index in range(self._window):
            into[index] = self._ring[place]
            place += 1
            if place == self._window:
                place = 0

    def reset(self):
        """Forget all probabilities and wait as after switching on."""
        for index in range(self._window):
            self._ring[index] = 0
        self._place = 0  # of the oldest probability, which the next one replaces
        self._total = self._counted = 0  # of the probabilities since the last wake
        self.mean = self._outputs[self._newest_at] = self._outputs[self._mean_at] = 0
        self._waiting = self._warmup_hops
        self._last = 0
        self._silent = False  # all that counts is 0, and nothing is waited for

    def _cool_off(self, probability):
        """Count the hops since the last probability, which still held during all but one."""
        hops = self._stride - 1 if self._last < self._cutoff else 0
        if probability < self._cutoff:
            hops += 1
        self._waiting = max(self._waiting - hops, 0)

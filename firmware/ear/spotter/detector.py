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
        self._cutoff = cutoff
        self._window = window
        self._stride = stride
        self._refractory_hops = refractory_hops
        self._warmup_hops = warmup_hops
        self.newest = bytearray(window)  # the last probabilities, oldest first
        self.reset()

    def step(self, probability):
        """Take a new probability; True once for each time the word is heard."""
        self._shift_in(probability)
        self._cool_off(probability)
        self._counted = min(self._counted + 1, self._window)
        total = 0
        for index in range(self._window - self._counted, self._window):
            total += self.newest[index]
        self.mean = total // self._window
        if self._waiting or total <= self._cutoff * self._window:
            return False
        self._counted = 0
        self._waiting = self._refractory_hops
        self._last = 0
        return True

    def reset(self):
        """Forget all probabilities and wait as after switching on."""
        for index in range(self._window):
            self.newest[index] = 0
        self.mean = 0
        self._counted = 0  # probabilities since the last wake, as far as the window goes
        self._waiting = self._warmup_hops
        self._last = 0

    def _shift_in(self, probability):
        newest = self.newest
        for index in range(1, self._window):
            newest[index - 1] = newest[index]
        newest[self._window - 1] = probability

    def _cool_off(self, probability):
        """Count the hops since the last probability, which still held during all but one."""
        hops = self._stride - 1 if self._last < self._cutoff else 0
        if probability < self._cutoff:
            hops += 1
        self._waiting = max(self._waiting - hops, 0)
        self._last = probability

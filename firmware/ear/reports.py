"""What the device tells unasked: scores, health, the light. Allocates nothing.

A link that can't carry it all gets fewer scores: they are the most, and the least missed.
"""

import gc

from ear.link import telemetry

_FEWEST = 16  # scores are sent at least at every 16th output
_HEAP_EVERY = 60  # health messages: counting the free heap walks through all of it


class Reports:
    """Writes the hot messages at the pace that the host chose and the link carries.

    clock: the position in hops; heard: the hops that were processed.
    """

    def __init__(self, link, clock, heard, light, microphone, words):
        self._link = link
        self._clock = clock
        self._heard = heard
        self._light = light
        self._microphone = microphone
        self._words = words
        self._scores = telemetry.Scores(words, link.out)
        self._dropped = 0
        self._free_heap = 0
        self._until_heap = 0
        self.pace()

    def pace(self):
        """The host chose how often it wants to hear: begin anew."""
        self._scores_every = self._link.scores_every
        self._until_scores = 1
        self._until_health = self._link.health_every
        self._until_heap = 0

    def scores(self, peak):
        """A model stepped."""
        if self._until_scores > 1:
            self._until_scores -= 1
        elif self._scores_every:
            self._until_scores = self._scores_every
            clock = self._clock
            self._scores.send(clock.low, clock.high, peak)

    def light(self):
        """The ring shows something new."""
        clock = self._clock
        light = self._light
        telemetry.ring(self._link.out, clock.low, clock.high, light.state, light.pixels)

    def hops(self, count):
        """So many hops were processed."""
        if self._until_health:
            self._until_health -= count
            if self._until_health <= 0:
                self._until_health += self._link.health_every
                self._adapt()
                self._health()

    def _adapt(self):
        dropped = self._link.out.dropped
        if dropped > self._dropped and 0 < self._scores_every < _FEWEST:
            self._scores_every *= 2
        self._dropped = dropped

    def _health(self):
        if not self._until_heap:
            self._until_heap = _HEAP_EVERY
            self._free_heap = gc.mem_free()
        self._until_heap -= 1
        microphone = self._microphone
        telemetry.health(
            self._link.out,
            self._clock.low,
            self._clock.high,
            self._heard.low,
            self._heard.high,
            microphone.gaps,
            microphone.lost,
            microphone.slowest_us,
            self._free_heap,
            self._scores_every,
        )
        microphone.slowest_us = 0

"""Carries out what the gate says. It decides nothing itself.

Sound reaches the recorder through ``push`` alone, and only while the gate's state is recording.
"""

from ear.audio.format import HOPS_PER_SECOND
from ear.privacy import gate
from ear.privacy.preroll import PreRoll
from ear.privacy.recorder import CONSENT_PRE_ROLL, CONSENT_REVIEW

MARK_HOPS = 1000  # how long after a wake it can be marked as false: 10 s
_DISCARDS = 3  # how often the host is told of a false wake: one message may be lost
_DISCARD_PAUSE = 50  # hops between them


class Shell:
    """The gate with hands.

    microphone: ``start()`` and ``stop()``. show(action): write the light of one of the gate's
    SHOW actions; True once it is lit, False when it can't be. report(): tell the host about
    the wake. recorder: a ``recorder.Recorder``, or None on a device without an identity.
    wake: the ``recorder.Wake`` that the application fills. settings: the owner's
    (``ear.settings``). changed(): told after each change of state.
    """

    def __init__(self, microphone, show, report, recorder, wake, settings, changed):
        self._microphone = microphone
        self._show = show
        self._report = report
        self._recorder = recorder
        self._wake = wake
        self._changed = changed
        self._hops_left = 0
        self._since_wake = MARK_HOPS
        self._recorded = False
        self._open = False  # the link takes sound
        self._discards = 0  # how often a false wake is still to be told
        self._discard_wait = 0
        self._hearing = True  # until it was stopped once
        self._host_pre_roll = False
        self._pre_roll = PreRoll()
        self._settings = settings
        self.state = gate.START

    def start(self):
        """Take the first state; the mute switch is read after this."""
        self._run(gate.START_ACTIONS, gate.SWITCH_ON)
        self._changed()

    def post(self, event):
        """Something happened: an event of the gate, and all that follows from it."""
        while event >= 0:
            before = self.state
            self.state, actions = gate.step(before, event)
            if self.state != before:
                self._hops_left = self._deadline()
            event = self._run(actions, event)
            if self.state != before:
                # What is heard after a pause wouldn't adjoin what was kept before it.
                if self.state != gate.LISTENING and self.state != gate.TURNING_BLUE:
                    self._pre_roll.clear()
                self._changed()

    @property
    def wakes(self):
        """Whether a wake word would wake the device now."""
        return self.state == gate.LISTENING or self.state == gate.BENCH

    def woke(self, allowed):
        """A wake word was heard; ``allowed``: the policy lets it be recorded now."""
        if self.wakes:
            self._since_wake = 0
            self._recorded = False
        record = allowed and self._recorder is not None
        self.post(gate.WAKE_RECORD if record else gate.WAKE_ONLY)

    def mark_false(self):
        """The button was pressed; True when that marked the last wake as false."""
        if self._since_wake >= MARK_HOPS:
            return False
        self.post(gate.FALSE_MARK)
        self._since_wake = MARK_HOPS
        return True

    def cancel(self, number):
        """The host found the wake of recording ``number`` wrong: nothing of it is kept."""
        if self._open and self._recorder.number == number:
            self.post(gate.CANCEL)

    def allow_pre_roll(self, allowed):
        """The host's consent to pre-roll, for as long as it is connected."""
        self._host_pre_roll = allowed
        if not allowed:
            self._pre_roll.clear()

    def push(self, hop, lost):
        """A hop from the microphone (320 bytes), ``lost`` samples missing before it."""
        if self.state == gate.RECORDING:
            self._recorder.push(hop, lost)
        elif self.state == gate.LISTENING:
            if self._pre_roll_allowed():
                self._pre_roll.push(hop, lost)
            else:
                self._pre_roll.clear()

    def tick(self, written):
        """10 ms passed, in which the outbox wrote ``written`` bytes."""
        if self._since_wake < MARK_HOPS:
            self._since_wake += 1
        if self._discards:
            self._tell_discard()
        if self._open:
            self._recorder.note_written(written)
            self._recorder.pump()
            if self.state == gate.SENDING and self._recorder.sent:
                self.post(gate.SENT)
                return
        if self._hops_left:
            self._hops_left -= 1
            if self._hops_left == 0:
                self.post(gate.DEADLINE)

    def _tell_discard(self):
        if self._discard_wait:
            self._discard_wait -= 1
        elif self._recorder.tell_discard():
            self._discards -= 1
            self._discard_wait = _DISCARD_PAUSE

    def _deadline(self):
        if self.state == gate.RECORDING:
            return self._settings.get("longest_s") * HOPS_PER_SECOND
        return gate.DEADLINES.get(self.state, 0)

    def _pre_roll_allowed(self):
        return self._host_pre_roll and self._settings.get("pre_roll")

    def _run(self, actions, event):
        """Carry out the actions; returns the event that followed from them, or -1."""
        follows = -1
        for action in actions:
            if action >= gate.SHOW_IDLE:
                follows = self._light(action)
            elif action == gate.OPEN_MIC or action == gate.CLOSE_MIC:
                self._hear(action == gate.OPEN_MIC)
            elif action == gate.REPORT:
                self._report()
            else:
                self._record(action, event)
        return follows

    def _hear(self, wanted):
        if wanted == self._hearing:
            return
        self._hearing = wanted
        if wanted:
            self._microphone.start()
        else:
            self._microphone.stop()
            self._pre_roll.clear()

    def _light(self, action):
        if not self._show(action):
            return gate.RING_FAILED
        if action == gate.SHOW_BLUE:
            return gate.RING_BLUE
        return gate.RING_IDLE if action == gate.SHOW_IDLE else -1

    def _record(self, action, event):
        recorder = self._recorder
        if action == gate.BEGIN:
            self._begin()
            self._open = self._recorded = True
        elif action == gate.END:
            recorder.end(event)
        elif action == gate.CLOSE:
            recorder.close(event)
            self._open = False
        elif action == gate.DISCARD and recorder is not None:
            recorder.discard(self._wake, self._recorded)
            self._discards = _DISCARDS
            self._discard_wait = 0
            self._tell_discard()

    def _begin(self):
        settings = self._settings
        consent = CONSENT_REVIEW if settings.get("review") else 0
        if self._pre_roll_allowed():
            consent |= CONSENT_PRE_ROLL
        days = settings.get("retention_days")
        self._recorder.begin(self._wake, consent, days, self._pre_roll.take())

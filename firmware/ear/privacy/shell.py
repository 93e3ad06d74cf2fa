"""Carries out what the gate says. It decides nothing itself.

Sound reaches the recorder through ``push`` alone, and only while the gate's state is recording.
"""

from ear.audio.format import HOPS_PER_SECOND
from ear.privacy import gate
from ear.privacy.recording import CONSENT_PRE_ROLL, CONSENT_REVIEW

MARK_HOPS = 1000  # how long after a wake it can be marked as false: 10 s


class Shell:
    """The gate with hands.

    microphone: ``start()`` and ``stop()``. show(action): write the light of one of the gate's
    SHOW actions; True once it is lit, False when it can't be. report(): tell the host about
    the wake. wake: the ``recording.Wake`` that the application fills. settings: the owner's
    (``ear.settings``). changed(): told after each change of state. failed(what, error): told
    when the microphone can't be switched on, or a recording finds no memory. false_wakes: a
    ``false_wakes.FalseWakes``, or None on a device without an identity.

    ``idle``: the device only listens; no sound is kept or sent, no time is running out.
    """

    def __init__(self, microphone, show, report, false_wakes, wake, settings, changed, failed):
        self._microphone = microphone
        self._show = show
        self._report = report
        self._false_wakes = false_wakes
        self._wake = wake
        self._changed = changed
        self._failed = failed
        self._settings = settings
        self._hops_left = 0
        self._since_wake = MARK_HOPS
        self._recorded = 0  # the number of the last wake's recording, 0 where there is none
        self._open = False  # the link takes sound
        self._untidy = False  # a recording has left its garbage
        self._hearing = True  # until it was stopped once
        self._host_pre_roll = False
        self.recorder = None
        self._pre_roll = None
        self.state = gate.START
        self.idle = False

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
                self._settle()
                self._hops_left = self._deadline()
            event = self._run(actions, event)
            if self.state != before:
                # What is heard after a pause wouldn't adjoin what was kept before it.
                if self.state != gate.LISTENING and self.state != gate.TURNING_BLUE:
                    self._forget_pre_roll()
                self._changed()

    def equip(self, recorder, pre_roll):
        """Take what records from now on, or None: a ``recorder.Recorder`` and a
        ``preroll.PreRoll``. Not while ``busy``."""
        self.recorder = recorder
        self._pre_roll = pre_roll
        self._settle()

    def _settle(self):
        self.idle = self.state == gate.LISTENING and not self._pre_roll_allowed()

    def wakes(self):
        """Whether a wake word would wake the device now."""
        return self.state == gate.LISTENING or self.state == gate.BENCH

    def busy(self):
        """Whether a recording is made, or on its way."""
        return self._open

    def woke(self, allowed):
        """A wake word was heard; ``allowed``: the policy lets it be recorded now."""
        if self.wakes():
            self._since_wake = 0
            self._recorded = 0
        record = allowed and self.recorder is not None
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
        if self._open and self.recorder.number == number:
            self.post(gate.CANCEL)

    def allow_pre_roll(self, allowed):
        """The host's consent to pre-roll, for as long as it is connected."""
        self._host_pre_roll = allowed
        self._settle()
        if not allowed:
            self._forget_pre_roll()

    def push(self, hop, lost):
        """A hop from the microphone (320 bytes), ``lost`` samples missing before it."""
        if self.state == gate.RECORDING:
            self.recorder.push(hop, lost)
        elif self.state == gate.LISTENING and self._pre_roll_allowed():
            self._pre_roll.push(hop, lost)

    def ends_within(self, hops):
        """Whether the state's time runs out in so many hops."""
        return 0 < self._hops_left <= hops

    def note_written(self, written):
        """The outbox wrote so many bytes while a recording is made: hand it more."""
        self.recorder.note_written(written)
        self.recorder.pump()

    def tick(self, written, hops=1):
        """So many hops passed, in which the outbox wrote ``written`` bytes."""
        if self._since_wake < MARK_HOPS:
            self._since_wake += hops
        if self._false_wakes is not None:
            self._false_wakes.tick(hops)
        if self._untidy and not self._open:
            self._untidy = False
            if self.recorder is not None:
                self.recorder.tidy()
        if self._open:
            recorder = self.recorder
            recorder.note_written(written)
            recorder.pump()
            if self.state == gate.SENDING and recorder.sent():
                self.post(gate.SENT)
                return
        if self._hops_left > 0:
            self._hops_left -= hops
            if self._hops_left <= 0:
                self.post(gate.DEADLINE)

    def _deadline(self):
        if self.state == gate.RECORDING:
            return self._settings.get("longest_s") * HOPS_PER_SECOND
        return gate.DEADLINES.get(self.state, 0)

    def _pre_roll_allowed(self):
        return self._pre_roll is not None and self._host_pre_roll

    def _forget_pre_roll(self):
        if self._pre_roll is not None:
            self._pre_roll.clear()

    def _run(self, actions, event):
        """Carry out the actions; returns the event that followed from them, or -1."""
        follows = -1
        for action in actions:
            if action >= gate.SHOW_IDLE:
                follows = self._light(action)
            elif action == gate.OPEN_MIC or action == gate.CLOSE_MIC:
                follows = self._hear(action == gate.OPEN_MIC)
            elif action == gate.REPORT:
                self._report()
            elif action == gate.BEGIN:
                follows = self._begin()
            else:
                self._record(action, event)
        return follows

    def _hear(self, wanted):
        if wanted == self._hearing:
            return -1
        if wanted:
            try:
                self._microphone.start()
            except (OSError, MemoryError) as error:
                self._failed("microphone", error)
                return gate.MIC_FAILED
        else:
            self._microphone.stop()
            self._forget_pre_roll()
        self._hearing = wanted
        return -1

    def _light(self, action):
        if not self._show(action):
            return gate.RING_FAILED
        if action == gate.SHOW_BLUE:
            return gate.RING_BLUE
        return gate.RING_IDLE if action == gate.SHOW_IDLE else -1

    def _record(self, action, event):
        if action == gate.END:
            self.recorder.end(event)
        elif action == gate.CLOSE:
            self.recorder.close(event)
            self._open = False
            self._untidy = True
        elif action == gate.DISCARD and self._false_wakes is not None:
            self._false_wakes.mark(self._wake, self._recorded)

    def _begin(self):
        settings = self._settings
        consent = CONSENT_REVIEW if settings.get("review") else 0
        before = ()
        if self._pre_roll_allowed():
            consent |= CONSENT_PRE_ROLL
            before = self._pre_roll.take()
        days = settings.get("retention_days")
        self._open = True
        try:
            self.recorder.begin(self._wake, consent, days, before)
        except MemoryError as error:
            self._failed("memory", error)
            return gate.CANCEL
        self._recorded = self.recorder.number
        return -1

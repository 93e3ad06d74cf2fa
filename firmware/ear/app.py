"""The loop: sound in, words spotted, the gate asked, the host told.

Everything is allocated before the first hop. From then on a hop goes one way: microphone ->
features -> probability -> wake -> gate -> light, recorder, link. Only a command from the
host, and a recording, allocate.

While the device only listens it takes three hops at once, which end where the models step: what
surrounds a hop then costs a third. Whenever sound is kept or sent, and whenever the host talks,
it goes hop by hop.
"""

import gc
import time

from ear import ring
from ear.audio.format import BLOCK, HOP, HOP_US
from ear.audio.wire import CAPACITY, Wire
from ear.clock import Clock
from ear.commands import STAY, Commands
from ear.daytime import DayTime
from ear.hello import present
from ear.link import messages, telemetry
from ear.privacy import endpointer_kernels, gate, policy
from ear.privacy.endpointer import EndPointer
from ear.privacy.recording import Wake
from ear.privacy.shell import Shell
from ear.reports import Reports
from ear.settings import CUTOFF_PREFIX, is_within
from ear.spotter.block import Block, suits

HEALTHY_HOPS = 6000  # a start counts as good after a minute
ENDED = 3  # like commands.LEAVE: there is no more sound
_REST_MS = 30  # how long the device rests at once while its microphone is off
_WIRE_MS = 20  # more than a tick of the system's clock, or the core would never rest
_FRAME_POLLS = 8  # so many looks at the link take in a frame with a hop in it
_WIRE_PATIENCE = 1500  # waits of 20 ms: a host that sends nothing for so long is gone
_ROUND = 99  # hops that are heard in blocks before the rest is looked at again: odd and even
_TURNS = 4  # hops in which everything around a recording has its turn
_FIRST_FEATURES = 2  # hops before the one that ends the first row of features
_WARNING = messages.SEVERITIES.index("warning")
_ERROR = messages.SEVERITIES.index("error")

# The light for each of the gate's SHOW actions, in their order.
_LIGHTS = (
    ring.LISTENING,
    ring.WOKEN,
    ring.BLUE,
    ring.MUTED,
    ring.FALSE_WAKE,
    ring.ERROR_MICROPHONE,
    ring.BENCH,
)


class App:
    """A running device: ``run`` until it is to do something else.

    base: light, link and settings (``base.Base``); board: microphone and switches
    (``board.Board``); words: a list of ``spotter.words.Word``; frontend; equipment: makes what
    records (``privacy.equipment.Equipment``).
    """

    def __init__(self, base, board, words, frontend, equipment):
        self._base = base
        self._board = board
        self._microphone = board.microphone
        self._light = base.light
        self._link = base.link
        self._settings = base.settings
        self._words = words
        self._frontend = frontend
        self._equipment = equipment
        self._day = DayTime()
        self._clock = Clock()
        self._heard = Clock()  # hops processed; the clock counts lost ones too
        self._wake = Wake()
        self._woken = None
        self._end_pointer = EndPointer(total=endpointer_kernels.total)
        self._wire = Wire()
        self._waits = 0
        self._shell = Shell(
            board.microphone,
            self._show,
            self._report,
            equipment.false_wakes,
            self._wake,
            base.settings,
            self._state_changed,
            self._failed,
        )
        self._commands = Commands(
            self, base.link, base.settings, self._day, self._shell, self._wire
        )
        self.reports = Reports(
            base.link, self._clock, self._heard, base.light, board.microphone, words
        )
        models = [word.model for word in words]
        self._stride = min(model.stride for model in models)
        self._block = None  # where the words can be heard in blocks
        if suits(frontend, models):
            self._block = Block(frontend, models, board.microphone.hops)
        self._until_step = self._stride + _FIRST_FEATURES  # hops until the models step
        self._muted = self._levels = None  # until the switches were read
        self._pressed = False
        self._stale = False  # the microphone was off: what was heard before is over
        self._lost = 0
        self._ended = False
        self._told = ""  # what failed last, while it still fails
        self._rested_us = 0  # that make no whole hop yet
        self.passed = 0

    def run(self, healthy=None, watchdog=None):
        """Listen until the host asks for something else; returns RESTART, LEAVE or ENDED.

        ``healthy()`` is called once, after a minute without trouble; ``watchdog.feed()`` whenever
        sound was processed.
        """
        self.start()
        left = HEALTHY_HOPS
        following = STAY
        while following == STAY:
            try:
                following = self.cycle()
                self.listen(watchdog)
                self.record(watchdog)
            except OSError as error:
                # The microphone's: what else can fail so is caught where it does.
                self._failed("microphone", error)
                self._shell.post(gate.MIC_FAILED)
            except MemoryError as error:
                if not self._shell.busy():
                    raise
                self._failed("memory", error)
                self._shell.post(gate.CANCEL)
                self._forget()  # a hop of sound was dropped
            if watchdog:
                watchdog.feed()
            if left > 0:
                left -= self.passed
                if left <= 0 and healthy:
                    healthy()
        self._shell.post(gate.MUTE)
        return following

    def start(self):
        """Present the device and begin to listen."""
        self.present()
        for note in self._base.notes:
            telemetry.log(self._link.out, *note)
        # What is polled for the first time allocates; from the first hop on nothing may.
        self._commands.poll()
        self._link.out.pump()
        self._shell.start()
        self._read_switches()
        self.settings_changed()
        gc.collect()

    def cycle(self):
        """Hear and act on one hop, or up to three; returns STAY, or what ``run`` returns.

        ``passed`` is how many hops of time went by.
        """
        self._commands.poll()
        count = self._next_hops()
        self._read_switches()
        if count:
            self._hear(count)
        shell = self._shell
        # What a block ends with, a wake for one, began at its last hop.
        hops = self.passed if shell.idle or count < BLOCK else 1
        self._tick(hops, self._link.out.pump())
        return ENDED if self._ended else self._commands.next

    def listen(self, watchdog=None):
        """Hear block after block for as long as nothing else is to be done, a second at most.

        It is what ``cycle`` does, with nothing looked up or called that isn't needed: all the
        rest of the device's time is spent here. Commands are read in every other block, what is
        told is written in those between.
        """
        block, shell, link = self._block, self._shell, self._link
        if not block or not shell.idle or self._until_step != BLOCK or self._frontend.missing:
            return
        microphone, clock, words = self._microphone, self._clock, self._words
        run, program = block.run, block.program
        inbox, out = link.inbox, link.out
        reports, board = self.reports, self._board
        hops = 0
        while hops < _ROUND and not inbox.receiving and out.pending <= out.burst:
            lost = microphone.read(BLOCK)
            if lost or microphone.count != BLOCK:
                count = self._arrived(lost)
                if count:
                    self._hear(count)
                self._tick(self.passed, 0)
                break
            low = clock.low + BLOCK
            if low > 0xFFFF:
                clock.advance(BLOCK)
            else:
                clock.low = low
            hops += BLOCK
            peak = run(program, 0)
            for word in words:
                if word.detector.step(word.model.finish()):
                    self._woke(word, 0)
            reports.scores(peak)
            if watchdog:
                watchdog.feed()
            if board.levels() != self._levels:
                self._read_switches()
            if not hops & 1:
                out.pump()
            elif inbox.poll():
                self._commands.act()
            if not shell.idle or self._commands.next != STAY:
                break
        if hops:
            self._heard.advance(hops)
            self._tick(hops if shell.idle else 1, 0)
            self.passed += hops

    def record(self, watchdog=None):
        """Hear hop after hop for as long as a recording is made, a second at most.

        As in ``listen``, it is what ``cycle`` does, with nothing looked up twice; the ring, the
        switches, the clock and the host get a hop of every four, each its own.
        """
        shell = self._shell
        if shell.state != gate.RECORDING or self._frontend.missing or shell.ends_within(_TURNS):
            return
        microphone, clock, words = self._microphone, self._clock, self._words
        hop, out = microphone.hops[0], self._link.out
        frontend, end_pointer = self._frontend, self._end_pointer
        features = frontend.features
        hops = untold = 0
        while hops < _ROUND and shell.state == gate.RECORDING:
            lost = microphone.read()
            if lost or not microphone.count:
                if self._arrived(lost):
                    self._hear(1)
                self._tick(1, out.pump())
                break
            low = clock.low + 1
            if low > 0xFFFF:
                clock.advance()
            else:
                clock.low = low
            hops += 1
            untold += 1
            shell.push(hop, 0)
            frontend.push(hop)
            if end_pointer.push(features, frontend.peak):
                shell.post(gate.SILENCE)
            for word in words:
                if word.push(features):
                    self._woke(word, 0)
            self._until_step -= 1
            if self._until_step == 0:
                self._until_step = self._stride
                self.reports.scores(frontend.peak)
            if shell.state == gate.RECORDING:
                shell.note_written(out.pump())
            if watchdog:
                watchdog.feed()
            turn = hops & 3
            if turn == 0:
                self._write_frame()  # blue is kept up
            elif turn == 1:
                self._read_switches()
            elif turn == 2:
                shell.tick(0, untold)
                untold = 0
                if shell.ends_within(_TURNS):
                    break
            else:
                self._commands.poll()
                if self._commands.next != STAY:
                    break
        if hops:
            self._heard.advance(hops)
            shell.tick(0, untold)
            self._look_around(hops)
            self.passed += hops

    def _tick(self, hops, written):
        """So many hops have passed, in which the link took so many bytes."""
        self._shell.tick(written, hops)
        self._look_around(hops)

    def _look_around(self, hops):
        """See to the ring, the hour and what is told unasked: so many hops have passed."""
        if self._light.tick(hops):
            self._write_frame()
        if self._day.tick(hops):
            self.settings_changed()
        self.reports.hops(hops)

    def _write_frame(self):
        try:
            if self._light.write_frame():
                self.reports.light()
        except OSError as error:
            self._failed("ring", error)
            self._shell.post(gate.RING_FAILED)

    def heard(self):
        """Hops that were processed so far."""
        return self._heard.high * 65536 + self._heard.low

    def _next_hops(self):
        """Wait for sound; returns the number of hops that are there now, 0 if none came."""
        shell = self._shell
        microphone = self._microphone
        self.passed = 1
        if shell.state == gate.BENCH:
            return self._wired_hop()
        self._hops = microphone.hops
        if not microphone.running:
            self._rest()
            return 0
        wanted = 1
        if shell.idle and self._block:
            # So that blocks begin after a hop with which the models step.
            wanted = self._until_step % BLOCK or (1 if self._link.inbox.receiving else BLOCK)
        return self._arrived(microphone.read(wanted))

    def _arrived(self, lost):
        """The microphone was read; returns the number of hops that came."""
        if lost < 0:
            self._ended = True
            return 0
        self._lost = lost
        if lost:
            self._clock.advance((lost + HOP // 2) // HOP)
            self._forget()
        count = self._microphone.count
        self.passed = count
        self._clock.advance(count)
        return count

    def _rest(self):
        """The microphone is off: wait for the host, and tell the time by the clock."""
        began = time.ticks_us()
        self._link.inbox.wait(_REST_MS)
        self._rested_us += time.ticks_diff(time.ticks_us(), began)
        self.passed = self._rested_us // HOP_US
        self._rested_us -= self.passed * HOP_US
        self._clock.advance(self.passed)

    def _wired_hop(self):
        """Waits for the host, as the microphone's buffer would: reading the link is all it does."""
        inbox = self._link.inbox
        for _ in range(_FRAME_POLLS):
            hop = self._wire.take()
            if hop is not None:
                self._waits = 0
                self._clock.advance()
                telemetry.wired_credit(self._link.out, 1)
                self._hops = (hop,)
                return 1
            if not inbox.wait(_WIRE_MS):
                break
            self._commands.poll()
            if self._shell.state != gate.BENCH:
                return 0
        else:
            return 0
        self._waits += 1
        if self._waits == _WIRE_PATIENCE:
            telemetry.log(self._link.out, _WARNING, "wire", "no sound came: the wire is closed")
            self._shell.post(gate.BENCH_OFF)
        return 0

    def _hear(self, count):
        self._heard.advance(count)
        shell = self._shell
        frontend = self._frontend
        lost = self._lost
        self._lost = 0
        index = 0
        while index < count:
            hop = self._hops[index]
            index += 1
            if not shell.idle:
                shell.push(hop, lost)
                lost = 0
            self._until_step -= 1
            if self._until_step == 0:
                self._until_step = self._stride
            if frontend.push(hop):
                self._features(count - index)

    def _features(self, later):
        """A row of features is new; ``later``: hops after it that are counted already."""
        if self._shell.state == gate.RECORDING:
            self._find_end()
        for word in self._words:
            if word.push(self._frontend.features):
                self._woke(word, later)
        if self._until_step == self._stride:
            self.reports.scores(self._frontend.peak)

    def _find_end(self):
        """Whether whoever spoke to the device has finished."""
        frontend = self._frontend
        if self._end_pointer.push(frontend.features, frontend.peak):
            self._shell.post(gate.SILENCE)

    def _woke(self, word, later):
        wake = self._wake
        if self._shell.wakes():
            self._woken = word
            low = self._clock.low - later
            wake.low = low & 0xFFFF
            wake.high = self._clock.high - (1 if low < 0 else 0)
            wake.word = self._words.index(word)
            wake.score = word.detector.mean
            wake.cutoff = word.cutoff
            wake.model_sha256 = word.model.source_sha256
            wake.name = word.encoded
        self._shell.woke(policy.may_record(self._settings, self._day.minute))

    def _report(self):
        wake = self._wake
        word = self._woken
        word.detector.write_newest(word.newest)
        telemetry.wake(
            self._link.out,
            wake.low,
            wake.high,
            wake.word,
            wake.score,
            wake.cutoff,
            wake.model_sha256,
            wake.name,
            word.newest,
        )

    def _show(self, action):
        """Light what the gate wants shown; False when the ring can't be written."""
        try:
            self._light.show(_LIGHTS[action - gate.SHOW_IDLE])
        except OSError as error:
            self._failed("ring", error)
            return False
        self.reports.light()
        return True

    def _failed(self, what, error):
        """Tell what failed while the device ran, once until it listens again; what follows is the
        gate's to say."""
        text = str(error) or repr(error)
        if text == self._told:
            return
        self._told = text
        telemetry.log(self._link.out, _ERROR, what, self._with_memory(what, error, text))

    def _with_memory(self, what, error, text):
        try:
            from ear import memory

            if isinstance(error, MemoryError):
                text = memory.heap_left(text)
            elif what == "microphone":
                text = memory.internal_left(text, self._board.ibuf)
        except MemoryError:
            pass  # what is left is too little to say how much
        return text

    def _state_changed(self):
        state = self._shell.state
        if state == gate.RECORDING:
            self._end_pointer.reset()
        elif state == gate.LISTENING and self._equipment.overdue:
            self.settings_changed()
        if state == gate.LISTENING and self._microphone.running:
            self._told = ""
        if not self._microphone.running:
            self._stale = True
        elif self._stale:
            self._stale = False
            self._forget()

    def _read_switches(self):
        board = self._board
        self._levels = board.levels()
        muted = board.muted()
        if muted != self._muted:
            self._muted = muted
            self._shell.post(gate.SWITCH_ON if muted else gate.SWITCH_OFF)
        pressed = board.pressed()
        if pressed and not self._pressed:
            self._shell.mark_false()
        self._pressed = pressed

    def _forget(self):
        """Sound before a gap and sound after it don't belong together."""
        self._frontend.reset()
        for word in self._words:
            word.reset()
        self._until_step = self._stride + _FIRST_FEATURES

    def begin_wired(self):
        """The wire was opened: nothing that was heard before counts.

        The ring tells the position of the first hop; what is granted after it says: send.
        """
        self._lost = 0
        self._waits = 0
        self._wire.clear()
        self._forget()
        self.reports.light()
        telemetry.wired_credit(self._link.out, CAPACITY)

    def settings_changed(self):
        """Do as the settings and the hour want it: the light, and what may be recorded."""
        settings = self._settings
        shell = self._shell
        if not policy.may_record(settings, self._day.minute):
            shell.post(gate.CANCEL)
        try:
            self._equipment.provide(shell, settings)
        except MemoryError as error:
            self._failed("memory", error)
        board = self._board
        start, end = settings.get("night_from"), settings.get("night_to")
        night = self._day.minute >= 0 and is_within(self._day.minute, start, end)
        limit = board.led_night if night else board.led_limit
        try:
            self._light.dim(max(1, limit * settings.get("brightness") // 255))
        except OSError as error:
            self._failed("ring", error)
            shell.post(gate.RING_FAILED)

    def cutoff_changed(self, name):
        """A word's cutoff was set: it holds from the next step on."""
        for word in self._words:
            if word.name == name:
                word.set_cutoff(self._settings.get(CUTOFF_PREFIX + name))
        self.present()

    def present(self):
        """Tell who this is, what it listens for and what its ring shows."""
        present(self._base, self._words)
        self.reports.light()

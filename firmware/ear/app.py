"""The device: sound in, words spotted, the gate asked, the host told.

Everything is allocated before the first hop. From then on a hop goes one way: microphone ->
features -> probability -> wake -> gate -> light, recorder, link. Only a command from the
host, and a recording, allocate.
"""

import gc
import os
import sys
import time

import esp32
import machine
import micropython
from board_table import BOARD

from ear import native, ring
from ear.audio.frontend import HOP, FrontEnd
from ear.audio.mic import RATE
from ear.audio.wire import CAPACITY, Wire
from ear.board import Board
from ear.clock import Clock
from ear.commands import RESTART, STAY, Commands, Requests
from ear.daytime import DayTime
from ear.link import messages, telemetry
from ear.link.endpoint import Link
from ear.privacy import codecs, gate, policy
from ear.privacy.cipher import Cipher
from ear.privacy.endpointer import EndPointer
from ear.privacy.identity import Identity, UnprovisionedError
from ear.privacy.recorder import Recorder, Wake
from ear.privacy.shell import Shell
from ear.reports import Reports
from ear.settings import Settings, is_within
from ear.spotter import words
from ear.spotter.model import ModelError

VERSION = "0.1.0"
HOP_MS = 10
HEALTHY_HOPS = 6000  # a start counts as good after a minute
ENDED = 3  # like commands.LEAVE: there is no more sound
_CPU_HZ = 240_000_000
_FRAME_POLLS = 8  # so many looks at the link take in a frame with a hop in it
_WIRE_PATIENCE = 3000  # waits of 10 ms: a host that sends nothing for so long is gone
_SLOTS = 64  # messages of a recording that can wait: over 3 s of sound
_NVS = "bluering"
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


class Parts:
    """What is made once and outlives a change of words: board, light, link, settings, kernels."""

    def __init__(self):
        machine.freq(_CPU_HZ)
        # The link's bytes include 3, which would be Ctrl-C.
        micropython.kbd_intr(-1)
        # Native code first: it needs executable memory, before anything large is allocated.
        self.kernels = native.load()
        self.board = Board(BOARD)
        self.light = ring.Ring(self.board.leds, self.board.led_count, self.board.led_limit)
        _light(self.light, ring.STARTING)
        self.link = Link(BOARD["link_rate"])
        self.settings = Settings()
        fault = self.settings.load()
        self.notes = [("settings", fault)] if fault else []  # codes and texts, told at the start
        self.day = DayTime()
        self.frontend = FrontEnd(self.kernels.frontend)
        self.recorder = self._recorder() if self.board.led_count else None

    def _recorder(self):
        """None on a device that isn't provisioned, or that has no light to say that it records."""
        try:
            identity = Identity(esp32.NVS(_NVS))
        except UnprovisionedError:
            return None
        encoder = codecs.Encoder(self.kernels.adpcm.encode)
        cipher = Cipher(codecs.CAPACITY)
        return Recorder(identity, encoder, cipher, self.link.out, _SLOTS, os.urandom)


class App:
    """A running device: ``run`` until it is to do something else."""

    def __init__(self, parts):
        self._board = parts.board
        self._light = parts.light
        self._link = parts.link
        self._settings = parts.settings
        self._notes = parts.notes
        self._kernels = parts.kernels
        self._day = parts.day
        self._frontend = parts.frontend
        self._recorder = parts.recorder
        self._words = words.load(parts.settings, parts.kernels.spotter)
        self._names = [word.text.encode() for word in self._words]
        self._clock = Clock()
        self._heard = Clock()  # hops processed; the clock counts lost ones too
        self._wake = Wake()
        self._woken = None
        self._end_pointer = EndPointer()
        self._wire = Wire()
        self._waits = 0
        microphone = parts.board.microphone
        self._shell = Shell(
            microphone,
            self._show,
            self._report,
            parts.recorder,
            self._wake,
            parts.settings,
            self._state_changed,
        )
        self._commands = Commands(
            self, parts.link, parts.settings, parts.day, self._shell, self._wire
        )
        self.reports = Reports(
            parts.link, self._clock, self._heard, parts.light, microphone, self._words
        )
        self._muted = True  # as the gate takes it until the switch was read
        self._pressed = False
        self._stale = False  # the microphone was off: what was heard before is over
        self._lost = 0

    def run(self, healthy=None, watchdog=None):
        """Listen until the host asks for something else; returns RESTART, LEAVE or ENDED.

        ``healthy()`` is called once, after a minute without trouble; ``watchdog.feed()`` for
        every hop that was processed.
        """
        self.start()
        left = HEALTHY_HOPS
        following = STAY
        while following == STAY:
            following = self.hop()
            if watchdog:
                watchdog.feed()
            if left:
                left -= 1
                if not left and healthy:
                    healthy()
        self._shell.post(gate.MUTE)
        return following

    def start(self):
        """Present the device and begin to listen."""
        self.present()
        for code, text in self._notes:
            telemetry.log(self._link.out, _ERROR, code, text)
        # What is polled for the first time allocates; from the first hop on nothing may.
        self._commands.poll()
        self._link.out.pump()
        self._shell.start()
        self._read_switches()
        self.settings_changed()
        gc.collect()

    def hop(self):
        """Hear and act on 10 ms; returns STAY, or what ``run`` returns."""
        self._commands.poll()
        hop = self._next_hop()
        began = time.ticks_us()
        self._read_switches()
        if hop is not None:
            self._hear(hop)
        self._tick()
        self.reports.hop(time.ticks_diff(time.ticks_us(), began))
        return ENDED if self._lost < 0 else self._commands.next

    def heard(self):
        """Hops that were processed so far."""
        return self._heard.high * 65536 + self._heard.low

    def _next_hop(self):
        """The next hop of sound, or None after 10 ms without any."""
        microphone = self._board.microphone
        if self._shell.state == gate.BENCH:
            return self._wired_hop()
        if not microphone.running:
            time.sleep_ms(HOP_MS)
            self._clock.advance()
            return None
        try:
            self._lost = microphone.read()
        except OSError:
            self._lost = 0
            self._shell.post(gate.MIC_FAILED)
            return None
        if self._lost < 0:
            return None
        if self._lost:
            self._clock.advance((self._lost + HOP // 2) // HOP)
            self._forget()
        self._clock.advance()
        return microphone.hop

    def _wired_hop(self):
        """Waits for the host, as the microphone's buffer would: reading the link is all it does."""
        for _ in range(HOP_MS):
            for _ in range(_FRAME_POLLS):
                hop = self._wire.take()
                if hop is not None:
                    self._waits = 0
                    self._clock.advance()
                    telemetry.wired_credit(self._link.out, 1)
                    return hop
                self._commands.poll()
                if self._shell.state != gate.BENCH:
                    return None
            time.sleep_ms(1)
        self._waits += 1
        if self._waits == _WIRE_PATIENCE:
            telemetry.log(self._link.out, _WARNING, "wire", "no sound came: the wire is closed")
            self._shell.post(gate.BENCH_OFF)
        return None

    def _hear(self, hop):
        self._heard.advance()
        self._shell.push(hop, self._lost)
        if not self._frontend.push(hop):
            return
        features = self._frontend.features
        if self._shell.state == gate.RECORDING and self._end_pointer.push(
            features, self._frontend.peak
        ):
            self._shell.post(gate.SILENCE)
        stepped = False
        index = 0
        while index < len(self._words):
            word = self._words[index]
            if word.push(features):
                self._woke(index)
            stepped = stepped or word.stepped
            index += 1
        if stepped:
            self.reports.scores(self._frontend.peak)

    def _woke(self, index):
        word = self._words[index]
        wake = self._wake
        if self._shell.wakes:
            self._woken = word
            wake.low = self._clock.low
            wake.high = self._clock.high
            wake.word = index
            wake.score = word.detector.mean
            wake.cutoff = word.cutoff
            wake.model_sha256 = word.model.source_sha256
            wake.name = self._names[index]
        self._shell.woke(policy.may_record(self._settings, self._day.minute))

    def _report(self):
        wake = self._wake
        telemetry.wake(
            self._link.out,
            wake.low,
            wake.high,
            wake.word,
            wake.score,
            wake.cutoff,
            wake.model_sha256,
            wake.name,
            self._woken.detector.newest,
        )

    def _show(self, action):
        """Light what the gate wants shown; False when the ring can't be written."""
        try:
            self._light.show(_LIGHTS[action - gate.SHOW_IDLE])
        except OSError:
            return False
        self.reports.light()
        return True

    def _state_changed(self):
        if self._shell.state == gate.RECORDING:
            self._end_pointer.reset()
        if not self._board.microphone.running:
            self._stale = True
        elif self._stale:
            self._stale = False
            self._forget()

    def _tick(self):
        self._shell.tick(self._link.out.pump())
        try:
            if self._light.tick():
                self.reports.light()
        except OSError:
            self._shell.post(gate.RING_FAILED)
        if self._day.tick():
            self.settings_changed()

    def _read_switches(self):
        muted = self._board.muted()
        if muted != self._muted:
            self._muted = muted
            self._shell.post(gate.SWITCH_ON if muted else gate.SWITCH_OFF)
        pressed = self._board.pressed()
        if pressed and not self._pressed:
            self._shell.mark_false()
        self._pressed = pressed

    def _forget(self):
        """Sound before a gap and sound after it don't belong together."""
        self._frontend.reset()
        for word in self._words:
            word.reset()

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
        if not policy.may_record(settings, self._day.minute):
            self._shell.post(gate.CANCEL)
        board = self._board
        start, end = settings.get("night_from"), settings.get("night_to")
        night = self._day.minute >= 0 and is_within(self._day.minute, start, end)
        limit = board.led_night if night else board.led_limit
        try:
            self._light.dim(max(1, limit * settings.get("brightness") // 255))
        except OSError:
            self._shell.post(gate.RING_FAILED)

    def present(self):
        """Tell who this is, what it listens for and what its ring shows."""
        present(self._link, self._board, len(self._words), self._kernels.names)
        for index, word in enumerate(self._words):
            telemetry.word(
                self._link.out,
                index,
                word.cutoff,
                word.window,
                word.model.stride,
                word.model.source_sha256,
                word.text,
            )
        self.reports.light()


def _light(light, state):
    """Show what nothing depends on: a ring that can't be written stops neither start nor end.

    False when it couldn't.
    """
    try:
        light.show(state)
    except OSError:
        return False
    return True


def present(link, board, count, kernels):
    """Send the hello of a device that listens for ``count`` words."""
    runtime = "MicroPython {}.{}.{} on {}".format(
        *sys.implementation.version[:3], getattr(sys.implementation, "_machine", sys.platform)
    )
    telemetry.hello(
        link.out,
        link.session,
        RATE,
        HOP,
        count,
        board.led_count,
        VERSION,
        board.name,
        runtime,
        ",".join(kernels),
    )


def halt(parts, state, code, text, watchdog=None):
    """Show an error and say why, the microphone off, until the host asks for something else.

    Settings can be changed meanwhile: other words may be the remedy. Returns LEAVE, or RESTART
    when words or cutoffs were changed.
    """
    link = parts.link
    requests = Requests(link, parts.settings)
    _light(parts.light, state)
    _tell_halt(parts, state, code, text)
    while requests.next == STAY:
        if requests.poll() and link.inbox.kind == messages.HELLO_REQUEST.id:
            _tell_halt(parts, state, code, text)
        try:
            parts.light.tick()
        except OSError:
            _light(parts.light, state)  # begins anew
        link.out.pump()
        if watchdog:
            watchdog.feed()
        time.sleep_ms(HOP_MS)
    return requests.next


def _tell_halt(parts, state, code, text):
    present(parts.link, parts.board, 0, parts.kernels.names)
    telemetry.ring(parts.link.out, 0, 0, state, parts.light.pixels)
    telemetry.log(parts.link.out, _ERROR, code, text)


def listen(parts, healthy=None, watchdog=None):
    """Run the application, anew with other words, until it is to LEAVE or its sound has ENDED."""
    following = RESTART
    while following == RESTART:
        try:
            app = App(parts)
        except ModelError as error:
            following = halt(parts, ring.ERROR_MODEL, "model", str(error), watchdog)
        except MemoryError as error:
            following = halt(parts, ring.ERROR_MEMORY, "memory", str(error), watchdog)
        else:
            following = app.run(healthy, watchdog)
        app = None
        gc.collect()
    return following


def take_leave(parts, following):
    """Say that the application leaves, and why."""
    _light(parts.light, ring.OFF)
    telemetry.ring(parts.link.out, 0, 0, ring.OFF, parts.light.pixels)
    reason = "the sound ended" if following == ENDED else "the REPL was asked for"
    telemetry.bye(parts.link.out, reason)
    parts.link.flush()

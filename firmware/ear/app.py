"""The device: sound in, words spotted, the ring lit, the host told.

Everything is allocated before the first hop. From then on a hop goes one way: microphone ->
features -> probability -> wake -> ring and link; only a command from the host may allocate.
"""

import gc
import struct
import sys
import time

import machine
import micropython
from board_table import BOARD

from ear import ring

# Native code needs executable memory: it is loaded before anything large is allocated.
from ear.audio.frontend import HOP, FrontEnd
from ear.audio.mic import RATE
from ear.board import Board
from ear.clock import Clock
from ear.link import messages, telemetry
from ear.link.endpoint import Link
from ear.spotter import words
from ear.spotter.model import ModelError

VERSION = "0.1.0"
BLUE_HOPS = 200  # how long a wake shows
HOP_MS = 10
_CPU_HZ = 240_000_000
_CTRL_C = 3


class App:
    """A running device: ``start``, then ``hop`` until it returns False, then ``stop``."""

    def __init__(self, board, light, link, heard):
        self._board = board
        self._light = light
        self._link = link
        self._words = heard
        self._names = [word.text.encode() for word in heard]
        self._models = [word.model for word in heard]
        self._detectors = [word.detector for word in heard]
        self._frontend = FrontEnd()
        self._clock = Clock()
        self._heard = Clock()  # hops processed; the clock counts lost ones too
        self._blue_left = 0
        self._until_scores = 1
        self._until_health = link.health_every
        self._slowest_us = 0
        self._leaving = False

    def start(self):
        """Present the device and begin to listen."""
        self._present()
        # What is polled for the first time allocates; from the first hop on nothing may.
        self._obey()
        self._link.out.pump()
        self._board.muted()
        gc.collect()
        self._board.microphone.start()
        self._show(ring.LISTENING)

    def stop(self, reason):
        """Stop listening and take leave."""
        self._board.microphone.stop()
        self._show(ring.OFF)
        telemetry.bye(self._link.out, reason)
        self._link.flush()

    def hops(self):
        """Hops that were processed so far."""
        return self._heard.high * 65536 + self._heard.low

    def hop(self):
        """Hear and act on 10 ms; False when the device is to stop."""
        self._obey()
        if self._leaving:
            return False
        if self._board.muted():
            self._rest()
            return True
        if self._light.state == ring.MUTED:
            self._listen_again()
        microphone = self._board.microphone
        lost = microphone.read()
        if lost < 0:
            return False
        began = time.ticks_us()
        if lost:
            self._forget(lost)
        self._clock.advance()
        self._heard.advance()
        self._tick_light()
        if self._frontend.push(microphone.hop):
            self._spot()
        self._tell_health()
        self._link.out.pump()
        self._slowest_us = max(self._slowest_us, time.ticks_diff(time.ticks_us(), began))
        return True

    def _spot(self):
        features = self._frontend.features
        stepped = False
        index = 0
        while index < len(self._words):
            word = self._words[index]
            if word.push(features):
                self._wake(index)
            if word.stepped:
                stepped = True
            index += 1
        if stepped:
            self._tell_scores()

    def _wake(self, index):
        # Blue first: whatever a wake sets off comes after the light that announces it.
        self._show(ring.BLUE)
        self._blue_left = BLUE_HOPS
        word = self._words[index]
        clock = self._clock
        telemetry.wake(
            self._link.out,
            clock.low,
            clock.high,
            index,
            word.detector.mean,
            word.cutoff,
            word.model.source_sha256,
            self._names[index],
            word.detector.newest,
        )

    def _tell_scores(self):
        if not self._link.scores_every:
            return
        self._until_scores -= 1
        if self._until_scores > 0:
            return
        self._until_scores = self._link.scores_every
        clock = self._clock
        peak = self._frontend.peak
        telemetry.scores(self._link.out, clock.low, clock.high, peak, self._models, self._detectors)

    def _tick_light(self):
        if self._blue_left:
            self._blue_left -= 1
            if not self._blue_left:
                self._show(ring.LISTENING)
        if self._light.tick():
            self._tell_light()

    def _show(self, state):
        self._light.show(state)
        self._tell_light()

    def _tell_light(self):
        clock = self._clock
        telemetry.ring(self._link.out, clock.low, clock.high, self._light.state, self._light.pixels)

    def _tell_health(self):
        link = self._link
        if not link.health_every:
            return
        self._until_health -= 1
        if self._until_health > 0:
            return
        self._until_health = link.health_every
        microphone = self._board.microphone
        telemetry.health(
            link.out,
            self._clock.low,
            self._clock.high,
            self._heard.low,
            self._heard.high,
            microphone.gaps,
            microphone.lost,
            self._slowest_us,
            gc.mem_free(),
            link.scores_every,
        )
        self._slowest_us = 0

    def _rest(self):
        """Muted: the microphone is switched off, not merely ignored."""
        if self._light.state != ring.MUTED:
            self._board.microphone.stop()
            self._blue_left = 0
            self._show(ring.MUTED)
        time.sleep_ms(HOP_MS)
        self._clock.advance()
        self._link.out.pump()

    def _listen_again(self):
        self._forget(0)
        self._board.microphone.start()
        self._show(ring.LISTENING)

    def _forget(self, lost):
        """Sound before a gap and sound after it don't belong together."""
        self._clock.advance((lost + HOP // 2) // HOP)
        self._frontend.reset()
        for word in self._words:
            word.reset()

    def _obey(self):
        inbox = self._link.inbox
        if not inbox.poll():
            return
        if inbox.kind == messages.HELLO_REQUEST.id:
            self._present()
            self._tell_light()
        elif inbox.kind == messages.REPL.id:
            self._leaving = True
        elif inbox.kind == messages.TELEMETRY.id and inbox.length == messages.TELEMETRY.size:
            every = struct.unpack_from(messages.TELEMETRY.format, inbox.payload, 0)
            self._link.scores_every, self._link.health_every = every
            self._until_scores = self._until_health = 1

    def _present(self):
        out = self._link.out
        _present(self._link, self._board, len(self._words))
        for index, word in enumerate(self._words):
            telemetry.word(
                out,
                index,
                word.cutoff,
                word.window,
                word.model.stride,
                word.model.source_sha256,
                word.text,
            )


def _present(link, board, count):
    runtime = "MicroPython {}.{}.{} on {}".format(
        *sys.implementation[1][:3], getattr(sys.implementation, "_machine", sys.platform)
    )
    telemetry.hello(
        link.out, link.session, RATE, HOP, count, board.led_count, VERSION, board.name, runtime
    )


def _halt(board, light, link, state, code, text):
    """Show an error and say why, until somebody asks for the REPL; the microphone stays off."""
    light.show(state)
    while True:
        _present(link, board, 0)
        telemetry.ring(link.out, 0, 0, state, light.pixels)
        telemetry.log(link.out, messages.SEVERITIES.index("error"), code, text)
        while not link.inbox.poll():
            light.tick()
            link.out.pump()
            time.sleep_ms(HOP_MS)
        if link.inbox.kind == messages.REPL.id:
            return


def open_parts():
    """The board, its light (which shows that the device is starting) and its link."""
    machine.freq(_CPU_HZ)
    # The link's bytes include 3, which would be Ctrl-C.
    micropython.kbd_intr(-1)
    board = Board(BOARD)
    light = ring.Ring(board.leds, board.led_count, board.led_limit)
    light.show(ring.STARTING)
    return board, light, Link(BOARD["link_rate"])


def main():
    """Start the device; returns when the host asks for the REPL, or the sound has ended."""
    board, light, link = open_parts()
    try:
        app = App(board, light, link, words.load())
    except ModelError as error:
        _halt(board, light, link, ring.ERROR_MODEL, "model", str(error))
    except MemoryError as error:
        _halt(board, light, link, ring.ERROR_MEMORY, "memory", str(error))
    else:
        app.start()
        while app.hop():
            pass
        app.stop("the REPL was asked for" if app._leaving else "the sound ended")
    micropython.kbd_intr(_CTRL_C)

"""What the host may ask of the device. Only here is anything allocated while listening."""

import json
import struct

from ear.link import messages, telemetry
from ear.privacy import gate
from ear.settings import CUTOFF_PREFIX, SettingError
from ear.spotter import files

# What the application is to do next.
STAY = 0
RESTART = 1  # with other words
LEAVE = 2  # for the REPL

_WARNING = messages.SEVERITIES.index("warning")


def _words_in(name, value):
    """The words that a setting is about."""
    if name.startswith(CUTOFF_PREFIX):
        return [name[len(CUTOFF_PREFIX) :]]
    return value if name == "words" and isinstance(value, list) else []


class Requests:
    """Reads the host's messages and serves what any device can: its settings, the way to the REPL.

    link; settings. ``next`` is what the application is to do then.
    """

    def __init__(self, link, settings):
        self._link = link
        self._settings = settings
        self._handlers = {
            messages.REPL.id: self._repl,
            messages.SETTINGS_REQUEST.id: self._tell_settings,
            messages.SETTING_CHANGE.id: self._change,
        }
        self.next = STAY

    def poll(self):
        """Carry out what came in; True when something did."""
        if not self._link.inbox.poll():
            return False
        self.act()
        return True

    def act(self):
        """Carry out the message that the inbox holds."""
        handler = self._handlers.get(self._link.inbox.kind)
        if handler:
            try:
                handler()
            except (ValueError, IndexError):
                self._warn("message", "a message of the host made no sense")
            except MemoryError as error:
                self._warn("memory", "there is no room for what the host asks: " + str(error))

    def _values(self, message):
        if self._link.inbox.length < message.size:
            raise ValueError("too short")
        return struct.unpack_from(message.format, self._link.inbox.payload, 0)

    def _warn(self, code, text):
        telemetry.log(self._link.out, _WARNING, code, text)

    def _repl(self):
        self.next = LEAVE

    def _tell_settings(self):
        for name in self._settings.names():
            self._tell_setting(name)

    def _tell_setting(self, name):
        telemetry.setting(self._link.out, name, json.dumps(self._settings.get(name)))

    def _change(self):
        name, at = self._text(0)
        value, _ = self._text(at)
        try:
            value = json.loads(value)
            # A word that isn't there would stop the device at its next start.
            for word in _words_in(name, value):
                if word not in files.names():
                    there = ", ".join(files.names())
                    raise SettingError(f"the board has no word {word}, it has {there}")
            self._settings.set(name, value)
        except (SettingError, ValueError, OSError) as error:
            self._warn("setting", f"{name} stays as it is: {error}")
            return
        # First done, then told: what was on its way when a recording is cancelled is dropped.
        self._changed()
        self._tell_setting(name)
        if name == "words":
            self.next = RESTART
        elif name.startswith(CUTOFF_PREFIX):
            self._cutoff_changed(name[len(CUTOFF_PREFIX) :])

    def _text(self, at):
        """The text that begins at a place of the payload, and where it ends."""
        payload = self._link.inbox.payload
        end = at + 1 + payload[at]
        if end > self._link.inbox.length:
            raise ValueError("cut off")
        return bytes(payload[at + 1 : end]).decode(), end

    def _changed(self):
        """A setting has changed."""

    def _cutoff_changed(self, name):
        """A word's cutoff has changed."""


class Commands(Requests):
    """Carries out, on the parts of a device that listens, all that the host may ask of it.

    app: who is told; link; settings; day: the time of day; shell: the gate's; wire.
    """

    def __init__(self, app, link, settings, day, shell, wire):
        super().__init__(link, settings)
        self._app = app
        self._day = day
        self._shell = shell
        self._wire = wire
        self._handlers.update(
            {
                messages.HELLO_REQUEST.id: self._hello,
                messages.TELEMETRY.id: self._telemetry,
                messages.TIME.id: self._time,
                messages.WIRED_START.id: self._wired_start,
                messages.WIRED_HOP.id: self._wired_hop,
                messages.WIRED_STOP.id: self._wired_stop,
                messages.PRE_ROLL.id: self._pre_roll,
                messages.RECORDING_CANCEL.id: self._cancel,
            }
        )

    def _changed(self):
        self._app.settings_changed()

    def _cutoff_changed(self, name):
        self._app.cutoff_changed(name)

    def _hello(self):
        # A host that has just come: what was too much for nobody may not be for this one.
        self._app.reports.pace()
        self._app.present()

    def _telemetry(self):
        every = self._values(messages.TELEMETRY)
        self._link.scores_every, self._link.health_every = every
        self._app.reports.pace()

    def _time(self):
        (minute,) = self._values(messages.TIME)
        self._day.set(minute)
        self._app.settings_changed()

    def _wired_start(self):
        self._shell.post(gate.BENCH_ON)
        if self._shell.state != gate.BENCH:
            self._warn("wire", "the wire can't be opened now")
            return
        self._app.begin_wired()

    def _wired_hop(self):
        (length,) = struct.unpack_from("<H", self._link.inbox.payload, 0)
        whole = length + 2 == self._link.inbox.length
        if not whole or not self._wire.put(self._link.inbox.payload, 2, length):
            self._warn("wire", "a hop that wasn't granted, or isn't one, was refused")

    def _wired_stop(self):
        self._shell.post(gate.BENCH_OFF)

    def _pre_roll(self):
        self._shell.allow_pre_roll(bool(self._link.inbox.payload[0]))

    def _cancel(self):
        (number,) = self._values(messages.RECORDING_CANCEL)
        self._shell.cancel(number)

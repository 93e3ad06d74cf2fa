"""A world around the privacy shell: microphone, ring, clock and a slow link, all of them fakes.

Used by the scripts beside it; nothing here decides what is right.
"""

import io
import os
import random
import select

from ear.kernels import Kernels
from ear.link.outbox import Outbox
from ear.privacy import adpcm_kernels, codecs, gate
from ear.privacy.cipher import Cipher
from ear.privacy.false_wakes import FalseWakes
from ear.privacy.identity import Identity
from ear.privacy.preroll import PreRoll
from ear.privacy.recorder import Recorder
from ear.privacy.recording import Wake
from ear.privacy.shell import Shell

ID = b"\x01\x02\x03\x04\x05\x06\x07\x08"
KEY = bytes(range(32))


class Nvs:
    """What ``esp32.NVS`` offers, in memory."""

    def __init__(self):
        self.values = {"id": ID, "key": KEY}

    def get_blob(self, name, buffer):
        value = self.values[name]
        buffer[: len(value)] = value
        return len(value)

    def get_i32(self, name):
        if name not in self.values:
            raise OSError(-4354)
        return self.values[name]

    def set_i32(self, name, value):
        self.values[name] = value

    def commit(self):
        pass


class Stream(io.IOBase):
    """Takes ``room`` bytes in all until it is refilled, and notes each write's light."""

    def __init__(self, file, lights, ring):
        self.room = 0
        self._file = file
        self._lights = lights
        self._ring = ring

    def ioctl(self, _, __):
        return 0

    def ipoll(self, _):
        """What ``select.poll`` would say of this stream."""
        return ((self, select.POLLOUT),) if self.room else ()

    def write(self, buffer, offset, length):
        length = min(length, self.room)
        self.room -= length
        self._file.write(buffer[offset : offset + length])
        self._lights.write(bytes([self._ring.light]) * length)
        return length


class Ring:
    """Shows what it is told to, unless it is broken."""

    def __init__(self):
        self.light = gate.SHOW_ERROR
        self.broken = False

    def show(self, action):
        if self.broken:
            return False
        self.light = action
        return True


class Microphone:
    """Knows whether it is read."""

    def __init__(self):
        self.open = True

    def start(self):
        assert not self.open
        self.open = True

    def stop(self):
        assert self.open
        self.open = False


class World:
    """All of it, wired together."""

    def __init__(self, settings, stream_file, lights_file, slots):
        self.ring = Ring()
        self.microphone = Microphone()
        self.stream = Stream(stream_file, lights_file, self.ring)
        self.outbox = Outbox(self.stream, burst=512)
        self.outbox._writable = self.stream  # select waits 1 ms for what is no file
        encoder = codecs.Encoder(Kernels(adpcm_kernels))
        cipher = Cipher(codecs.CAPACITY)
        self.identity = Identity(Nvs())
        self.recorder = Recorder(self.identity, encoder, cipher, self.outbox, slots, os.urandom)
        self.wake = Wake()
        self.wake.name = b"alexa"
        self.shell = Shell(
            self.microphone,
            self.ring.show,
            lambda: None,
            FalseWakes(self.identity, self.outbox),
            self.wake,
            settings,
            lambda: None,
            self.failed,
        )
        self.shell.equip(self.recorder, PreRoll() if settings.get("pre_roll") else None)

    def failed(self, what, error):
        """Nothing is to fail here."""
        raise AssertionError((what, error))

    def ten_milliseconds(self, bytes_per_hop):
        """The link takes some bytes, then time passes."""
        self.stream.room = random.randrange(2 * bytes_per_hop + 1)
        written = 0
        while True:
            more = self.outbox.pump()
            if not more:
                break
            written += more
        self.stream.room = 0
        self.shell.tick(written)

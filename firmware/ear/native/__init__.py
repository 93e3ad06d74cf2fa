"""Native kernels: assembler code for the ESP32-S3 that takes the place of viper code.

A device is never broken by them, only slower without them. They are used if the chip is the one
they are made for, if their files' digests are right, if trying them hasn't ended in a reset, and
if they give the viper kernels' answers, each for itself.
"""

import binascii
import hashlib
import json
import sys

from ear.kernels import Kernels

INDEX = "index.json"  # the digest of each file of kernels, by name
_CHIP = "ESP32S3"
_ARCHITECTURE = 10  # windowed Xtensa
_FOLDER = __file__.rsplit("/", 1)[0]


class NativeError(Exception):
    """Why native kernels aren't used."""


class Native:
    """The kernels to use, by part: ``frontend``, ``spotter``, ``adpcm``, ``mic``, ``link``.

    ``sequence`` isn't one of them: it runs the others' sequences.

    names: of those that are native, as part.kernel; reasons: why others aren't; suited: whether
    this is the chip that they are made for.
    """

    def __init__(self):
        from ear.audio import frontend_kernels, mic_kernels
        from ear.link import frame_kernels
        from ear.privacy import adpcm_kernels
        from ear.spotter import model_kernels

        self.frontend = Kernels(frontend_kernels)
        self.spotter = Kernels(model_kernels)
        self.adpcm = Kernels(adpcm_kernels)
        self.mic = Kernels(mic_kernels)
        self.link = Kernels(frame_kernels)
        self.names = []
        self.reasons = []
        self.suited = False
        self._offered = {}  # the number of native kernels, by part

    def told(self):
        """What is native, for a person: of each part that was tried, how many of its kernels."""
        parts = []
        for part in sorted(self._offered):
            offered = self._offered[part]
            used = len([name for name in self.names if name.startswith(part + ".")])
            parts.append(part if used == offered == 1 else f"{part} {used}/{offered}")
        return ", ".join(parts)

    def settle(self):
        """All sequences are made: let go of what makes them, and with it of this module."""
        for kernels in (self.frontend, self.spotter, self.adpcm, self.mic):
            kernels.run_with(kernels.run, None)

    def take(self, part, module, address):
        """Use those kernels of a native module that give the right answers."""
        from ear.native import answers

        if part == "sequence":
            self._offered[part] = 1
            self._run_with(answers, module.run, address)
            return
        kernels = getattr(self, part)
        functions, wrong = answers.check(part, kernels, module, address)
        self._offered[part] = len(functions)
        for name in functions:
            if name in wrong:
                self.reasons.append(f"{part}.{name} gives wrong answers")
            else:
                kernels.use(name, functions[name], address)
                self.names.append(f"{part}.{name}")

    def _run_with(self, answers, run, address):
        """Let ``run`` make the calls of sequences if it makes them rightly."""
        if not answers.runs(self, run, address, locate):
            self.reasons.append("sequence.run gives wrong answers")
            return
        for kernels in (self.frontend, self.spotter, self.adpcm, self.mic):
            kernels.run_with(run, locate)
        self.names.append("sequence.run")


def locate(function):
    """Where the machine code of a viper or native function lies, and where its object.

    The object's fourth word is the code's address (``mp_obj_fun_bc_t`` in MicroPython's
    py/objfun.h, 1.25 to 1.29). Raises NativeError where that is no executable memory.
    """
    from machine import mem32

    place = id(function)
    code = mem32[place + 12]
    if code >> 28 != 4:
        raise NativeError("a kernel's machine code isn't where it should be")
    return code, place


class Trial:
    """Remembers over a reset that kernels are being tried."""

    _KEY = "trying"

    def __init__(self, index):
        """``index``: the index file; other kernels are another trial."""
        import esp32

        self._store = esp32.NVS("native")
        self._mark = binascii.crc32(index) & 0x3FFFFFFF | 1

    def failed(self):
        """Whether these kernels were being tried when the device was reset."""
        try:
            return self._store.get_i32(self._KEY) == self._mark
        except OSError:
            return False

    def begin(self):
        """From now on, a reset counts as a failure of these kernels."""
        self._set(self._mark)

    def end(self):
        """They were tried, and nothing happened."""
        self._set(0)

    def _set(self, value):
        self._store.set_i32(self._KEY, value)
        self._store.commit()


def load(folder=_FOLDER, trial=Trial):
    """The kernels to use on this device. Never raises: what can't be used is viper's."""
    loading = Loading(folder, trial)
    return loading.finish()


class Loading:
    """``load`` in two steps, for a start that must have the machine code in memory before anything
    large, and can't spare what the known-answer tests need until then."""

    def __init__(self, folder=_FOLDER, trial=Trial):
        """Bring the machine code in, viper's too; it isn't called yet."""
        self._native = Native()
        self._attempt = None
        self._modules = []
        try:
            _check_chip()
            self._native.suited = True
            index = _read(folder, INDEX)
            attempt = trial(index)
            if attempt.failed():
                raise NativeError("trying them ended in a reset")
            self._attempt = attempt
            self._load_all(folder, json.loads(index))
        except Exception as error:
            self._refuse(error)

    def _load_all(self, folder, digests):
        for part in sorted(digests):
            try:
                verify(part, _read(folder, part + ".mpy"), digests[part])
                module = getattr(__import__("ear.native." + part).native, part)
                self._modules.append((part, module))
            except Exception as error:
                self._refuse(error, part)

    def finish(self):
        """Try the native kernels and use those that are right; returns ``Native``."""
        if self._attempt:
            try:
                # From here on: what a start does between loading and this is none of their fault.
                self._attempt.begin()
                self._try_all()
                self._attempt.end()
            except Exception as error:
                self._refuse(error)
        _forget_answers()
        # Where a place on the stack keeps this object alive, it keeps nothing else.
        native, self._native, self._modules = self._native, None, []
        return native

    def _try_all(self):
        import uctypes

        for part, module in self._modules:
            try:
                self._native.take(part, module, uctypes.addressof)
            except Exception as error:
                self._refuse(error, part)

    def _refuse(self, error, part=""):
        reason = str(error) or repr(error)
        self._native.reasons.append(f"{part}: {reason}" if part else reason)


def _forget_answers():
    """Let the memory that the known-answer tests take be collected: they are over."""
    sys.modules.pop("ear.native.answers", None)
    globals().pop("answers", None)  # where the import has put it too


def _check_chip():
    implementation = sys.implementation
    architecture = getattr(implementation, "_mpy", 0) >> 10 & 15
    if architecture != _ARCHITECTURE or _CHIP not in getattr(implementation, "_machine", ""):
        raise NativeError("this is no " + _CHIP)


def verify(part, data, digest):
    """Raises NativeError unless the file is the one that was built."""
    if binascii.hexlify(hashlib.sha256(data).digest()).decode() != digest:
        raise NativeError(f"{part} is damaged")


def _read(folder, name):
    try:
        with open(folder + "/" + name, "rb") as file:
            return file.read()
    except OSError:
        raise NativeError(f"there is no {name}") from None

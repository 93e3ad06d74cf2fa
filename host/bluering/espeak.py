"""eSpeak NG's voices, through the library and data that the package espeakng-loader carries."""

import ctypes
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bluering.errors import BlueRingError

try:
    import espeakng_loader
except ModuleNotFoundError as error:
    raise BlueRingError(
        "the voices are not installed", "install them with: pip install 'bluering[scene]'"
    ) from error

# speak_lib.h of eSpeak NG 1.52
_SYNCHRONOUS = 2
CHARS_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_SEED = 1
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p
)


class Espeak:
    """One synthesiser. The library is global and keeps traces of what it said before: a process
    makes only one."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._parts: list[NDArray[np.int16]] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only its address
        data = espeakng_loader.get_data_path().encode()
        self.rate = self.library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self.rate <= 0:
            raise BlueRingError(f"eSpeak NG didn't start with its data in {data.decode()}")
        self.library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int) -> NDArray:
        """Speech as int16 samples at `self.rate`.

        voice: a language and a variant, such as "en-us+f3"; rate: words a minute, 80..450;
        pitch and pitch_range: 0..99, 50 is the voice's own.
        """
        self.choose(voice)
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._must(self.library.espeak_SetParameter, parameter, value, 0)
        # Breath is noise from a generator that is seeded by the clock: the same one each time.
        self._must(self.library.espeak_ng_SetRandSeed, ctypes.c_long(_SEED))
        self._parts = []
        encoded = text.encode() + b"\0"
        size = ctypes.c_size_t(len(encoded))
        self._must(self.library.espeak_Synth, encoded, size, 0, 0, 0, CHARS_UTF8, None, None)
        return np.concatenate(self._parts)

    def choose(self, voice: str) -> None:
        """Make a language and variant the current one."""
        self._must(self.library.espeak_SetVoiceByName, voice.encode())

    def _must(self, function: Callable[..., int], *arguments: object) -> None:
        if function(*arguments):
            raise BlueRingError(f"eSpeak NG refused {function.__name__}{arguments}")

    def _receive(self, samples, count: int, _events) -> int:
        if samples and count:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

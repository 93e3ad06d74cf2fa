"""How much faster than real time the virtual board listens, its whole application included."""

import resource
import time
from dataclasses import dataclass

import numpy as np

from bluering import audio, demo
from bluering.models.packaged import packaged
from bluering.virtual.listen import hear


@dataclass(frozen=True)
class Speed:
    """A run in fast mode: seconds of sound, of the firmware's processor time, and of the clock."""

    word_size: int
    sound_s: float
    processor_s: float
    clock_s: float

    @property
    def times_real_time(self) -> float:
        """On one core: seconds of sound for each second of the firmware's processor time."""
        return self.sound_s / self.processor_s


def measure(word_size: int, repeats: int = 5) -> Speed:
    """Play the demo's scene several times to one virtual board with the packaged alexa model."""
    scene = audio.read(demo.FLAC)
    sound = np.tile(scene, repeats).tobytes()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    hear([packaged("alexa")], [sound], word_size=word_size)
    clock = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Speed(word_size, repeats * len(scene) / audio.RATE, processor, clock)

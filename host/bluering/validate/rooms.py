"""Room impulse responses, near and far, by the image source method (pyroomacoustics)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluering.sound_files import RATE

DISTANCES = {"near": 0.7, "far": 3.0}  # metres from mouth to microphone
ROOMS = 8  # different rooms that clips are spread over


@dataclass(frozen=True)
class Room:
    """A shoebox: metres, and the seconds in which its sound falls by 60 dB."""

    size: tuple[float, float, float]
    rt60: float


def room(index: int) -> Room:
    """One of ROOMS living rooms and kitchens, from small and dry to large and live."""
    share = index % ROOMS / (ROOMS - 1)
    return Room((4.2 + 2.3 * share, 3.6 + 1.6 * share, 2.4 + 0.4 * share), 0.25 + 0.35 * share)


@lru_cache(maxsize=2 * ROOMS)
def impulse_response(index: int, distance: str) -> NDArray[np.float64]:
    """From the direct sound on; gain 1 for the direct sound at one metre."""
    import pyroomacoustics as pra  # slow to import, needed only for conditions with a room

    # One thread: the sum's order, and so its last bits, would depend on the number of cores.
    pra.constants.set("num_threads", 1)
    chosen = room(index)
    absorption, order = pra.inverse_sabine(chosen.rt60, chosen.size)
    shoebox = pra.ShoeBox(chosen.size, fs=RATE, materials=pra.Material(absorption), max_order=order)
    width, depth, _ = chosen.size
    microphone = np.array([0.25 * width, 0.3 * depth, 0.9])
    metres = DISTANCES[distance]
    # Towards the far corner, the mouth half a metre above the table that the device stands on.
    flat = np.sqrt(max(metres**2 - 0.5**2, 0.0))
    away = np.array([width, depth]) - microphone[:2]
    mouth = np.array([*(microphone[:2] + flat * away / np.hypot(*away)), microphone[2] + 0.5])
    shoebox.add_source(mouth)
    shoebox.add_microphone(microphone)
    shoebox.compute_rir()
    assert shoebox.rir is not None
    response = np.asarray(shoebox.rir[0][0], dtype=np.float64)
    direct = int(np.argmax(np.abs(response)))
    # Drops the travel time; a few samples before the peak belong to its band-limited pulse.
    return response[max(0, direct - 8) :] / (np.abs(response[direct]) * metres)

"""Rooms, as impulse responses."""

from functools import lru_cache

import numpy as np

from bluering.training.augment.sound import Sound
from bluering.training.speak.voices import RATE


@lru_cache(maxsize=2)
def impulse_responses(seed: int, count: int = 160) -> list[Sound]:
    """Impulse responses of random shoebox rooms at RATE, by the image source method
    (pyroomacoustics). Each starts just before the direct sound, whose gain is 1."""
    import pyroomacoustics as pra

    pra.constants.set("num_threads", 1)  # else the last bits depend on the number of cores
    rng = np.random.default_rng(seed)
    found: list[Sound] = []
    while len(found) < count:
        size = np.array([rng.uniform(2, 9), rng.uniform(2, 7), rng.uniform(2.2, 3.6)])
        try:
            absorption, order = pra.inverse_sabine(rng.uniform(0.12, 0.75), size)
        except ValueError:  # no wall absorbs that much
            continue
        room = pra.ShoeBox(
            size, fs=RATE, materials=pra.Material(absorption), max_order=min(order, 14)
        )
        microphone = rng.uniform(0.15, 0.85, 3) * size
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        mouth = np.clip(microphone + direction * rng.uniform(0.3, 4), 0.1, size - 0.1)
        room.add_source(mouth)
        room.add_microphone(microphone)
        room.compute_rir()
        assert room.rir is not None
        response = np.asarray(room.rir[0][0], np.float32)
        direct = int(np.argmax(np.abs(response)))
        found.append(response[max(0, direct - 8) :][:12000] / np.abs(response[direct]))
    return found

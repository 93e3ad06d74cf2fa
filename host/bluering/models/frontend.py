"""The front end that models are trained with, TFLM's in C: sound to the device's very features."""

import numpy as np
from numpy.typing import NDArray

from bluering.samples import Samples
from ear.audio.format import CHANNELS, HOP

FEATURE_SCALE, FEATURE_ZERO_POINT = 26 / 255, -128  # how features are quantised, by ESPHome
_RAW_PER_FLOAT = 256 / 10  # pymicro-features scales the raw numbers by 10 / 256


class FrontEnd:
    """Hops to rows of 40 features, int8 + 128, by ESPHome's rule."""

    def __init__(self) -> None:
        from micro_features_cpp import create_frontend, process_samples

        self._frontend = create_frontend()
        self._process = process_samples
        self._rest = b""

    def push(self, samples: Samples) -> NDArray[np.uint8]:
        """The rows that these samples complete, (n, 40); the first one needs three hops."""
        audio = self._rest + samples.astype("<i2", copy=False).tobytes()
        hop = 2 * HOP
        whole = len(audio) // hop * hop
        self._rest = audio[whole:]
        rows = []
        for start in range(0, whole, hop):
            features, _ = self._process(self._frontend, audio[start : start + hop])
            if features:
                rows.append(features)
        raw = np.rint(np.array(rows).reshape(-1, CHANNELS) * _RAW_PER_FLOAT).astype(np.int64)
        return np.minimum((raw * 256 + 333) // 666, 255).astype(np.uint8)

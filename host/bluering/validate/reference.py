"""The host's engine with the device's bits: TFLM's front end in C, compiled models in numpy."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bluering.models.reference import Reference
from bluering.sound_files import HOP, Samples
from bluering.validate.engines import EngineSpec, Probabilities

_RAW_PER_FLOAT = 256 / 10  # pymicro-features scales the raw numbers by 10 / 256
_BLOCK_HOPS = 1500  # features at a time: the models work fastest on a cache full


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
        raw = np.rint(np.array(rows).reshape(-1, 40) * _RAW_PER_FLOAT).astype(np.int64)
        return np.minimum((raw * 256 + 333) // 666, 255).astype(np.uint8)


class ReferenceEngine:
    """An Engine over compiled models that share one front end."""

    def __init__(self, blobs: list[bytes]) -> None:
        self._models = [Reference(blob) for blob in blobs]
        self.strides: tuple[int, ...] = tuple(model.stride for model in self._models)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        """As Engine.listen."""
        frontend = FrontEnd()
        for model in self._models:
            model.reset()
        outputs: list[list[Probabilities]] = [[] for _ in self._models]
        for block in blocks:
            for start in range(0, len(block), _BLOCK_HOPS * HOP):
                features = frontend.push(block[start : start + _BLOCK_HOPS * HOP])
                for model, output in zip(self._models, outputs, strict=True):
                    output.append(model.push(features))
        return [np.concatenate([np.zeros(0, np.uint8), *output]) for output in outputs]


def open_reference(spec: EngineSpec) -> ReferenceEngine:
    """For EngineSpec."""
    return ReferenceEngine([model.blob for model in spec.models])

"""The host's engine with the device's bits: TFLM's front end in C, compiled models in numpy."""

from collections.abc import Iterable

import numpy as np

from bluering.models.frontend import FrontEnd
from bluering.models.reference import Reference
from bluering.samples import Samples
from bluering.validate.engines import EngineSpec, Probabilities
from ear.audio.format import HOP

_BLOCK_HOPS = 1500  # features at a time: the models work fastest on a cache full


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

"""What turns audio into probabilities: one per model step, as the device would compute them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bluering.errors import BlueRingError
from bluering.validate.audio import Samples

Probabilities = NDArray[np.uint8]  # 0..255, one per step


class TargetError(BlueRingError):
    """A target that isn't there, or that failed."""


@dataclass(frozen=True)
class ModelSpec:
    """A model to measure and how its manifest says that it should be used."""

    name: str
    word: str  # as in a corpus' labels
    blob: bytes  # the compiled model
    source_sha256: str  # of the standard .tflite
    cutoff: int  # 0..255, on the device's scale
    window: int  # outputs in the sliding mean


class Engine(Protocol):
    """A device freshly switched on for every `listen`."""

    strides: tuple[int, ...]  # hops per step, for each model

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        """Hear 16 kHz mono audio from switching on to its end; one trace per model.

        The output k of a model with stride s is there when hop (k + 1) * s + 2 has been heard:
        the first features need three hops.
        """
        ...


@dataclass(frozen=True)
class EngineSpec:
    """Everything a worker needs to open the engine: plain data."""

    target: str
    opener: str  # "module:function" that takes the models and returns an Engine
    models: tuple[ModelSpec, ...]


OPENERS = {"reference": "bluering.validate.reference:open_reference"}


def engine_spec(target: str, models: tuple[ModelSpec, ...]) -> EngineSpec:
    """The engine for a target; TargetError names the targets that there are."""
    if target not in OPENERS:
        raise TargetError(f"there is no target {target!r}; there is {', '.join(OPENERS)}")
    return EngineSpec(target, OPENERS[target], models)


@lru_cache(maxsize=2)
def open_engine(spec: EngineSpec) -> Engine:
    """Open it once per process."""
    module, function = spec.opener.split(":")
    return getattr(import_module(module), function)(spec.models)


def fingerprint(spec: EngineSpec) -> str:
    """Changes whenever results could: with the models and with this package's own code."""
    digest = hashlib.sha256(spec.opener.encode())
    for model in spec.models:
        digest.update(model.blob)
    host = Path(__file__).parents[1]
    for folder in ("validate", "models"):
        for file in sorted((host / folder).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()

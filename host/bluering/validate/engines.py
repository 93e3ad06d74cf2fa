"""What turns audio into probabilities: one per model step, as the device would compute them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

import ear
from bluering.errors import BlueRingError
from bluering.samples import Samples

_VIRTUAL = {"virtual": "64", "virtual32": "32"}  # bits of MicroPython's words

Probabilities = NDArray[np.uint8]  # 0..255, one per step


class TargetError(BlueRingError):
    """A target that isn't there, or that failed."""


@dataclass(frozen=True)
class ModelSpec:
    """A model to measure and how its manifest says that it should be used."""

    name: str
    word: str  # as in a corpus' labels
    blob: bytes  # the compiled model
    manifest: str  # JSON
    source: Path  # the standard .tflite
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

    target: str  # as the user named it
    opener: str  # "module:function" that takes this and returns an Engine
    models: tuple[ModelSpec, ...]
    argument: str = ""  # what the opener needs besides
    firmware: bool = False  # the firmware's own code computes the scores
    one_at_a_time: bool = False  # there is only one such device
    method: str = ""  # what a reader of the report has to know of it


def engine_spec(target: str, models: tuple[ModelSpec, ...]) -> EngineSpec:
    """The engine for a target: 'reference', 'virtual' (64 bits), 'virtual32', or a port's name."""
    if target == "reference":
        return EngineSpec(target, "bluering.validate.reference:open_reference", models)
    device = "bluering.validate.device"
    if target in _VIRTUAL:
        return EngineSpec(target, f"{device}:open_virtual", models, _VIRTUAL[target], firmware=True)
    return EngineSpec(target, f"{device}:open_port", models, target, True, one_at_a_time=True)


def is_computed(target: str) -> bool:
    """Whether a target is computed on this machine, not a board behind a port."""
    return target == "reference" or target in _VIRTUAL


def acoustic_spec(port: str, speaker: str, models: tuple[ModelSpec, ...]) -> EngineSpec:
    """The engine that plays through a loudspeaker of this computer, by name or number ("": the
    usual one), and listens to the board behind a port."""
    return EngineSpec(
        f"{port}, by loudspeaker",
        "bluering.validate.acoustic:open_acoustic",
        models,
        json.dumps([port, speaker]),
        firmware=True,
        one_at_a_time=True,
        method=(
            "Played through a loudspeaker to the board's microphone in whatever room that is. The "
            "latency holds the way of the sound and of the messages; it is as exact as the clocks "
            "of the sound card and of the link, some tens of milliseconds."
        ),
    )


@lru_cache(maxsize=2)
def open_engine(spec: EngineSpec) -> Engine:
    """Open it once per process."""
    module, function = spec.opener.split(":")
    return getattr(import_module(module), function)(spec)


def fingerprint(spec: EngineSpec) -> str:
    """Changes whenever results could: with the models and with the code that hears them.

    A board behind a port is taken to run the firmware of this very package.
    """
    digest = hashlib.sha256(f"{spec.opener} {spec.argument}".encode())
    for model in spec.models:
        digest.update(model.blob)
    host = Path(__file__).parents[1]
    folders = [host / "validate", host / "models"]
    if spec.firmware:
        folders += [host / "link", host / "virtual", Path(ear.__file__).parent]
    for folder in folders:
        for file in sorted(folder.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()

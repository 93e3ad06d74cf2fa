"""From what the user typed to a model that can be measured."""

import hashlib
from pathlib import Path

from bluering.models.manifest import parse_manifest
from bluering.models.packaged import CompiledWord, compiled_word, packaged
from bluering.validate.corpus import slug
from bluering.validate.engines import ModelSpec


def choose_model(text: str) -> ModelSpec:
    """A packaged model's name, or the manifest (.json) beside a model; ModelError when neither."""
    word: CompiledWord = compiled_word(Path(text)) if text.endswith(".json") else packaged(text)
    return ModelSpec(
        word.name,
        slug(word.manifest.wake_word),
        word.blob,
        word.manifest.model_dump_json(exclude={"cutoff", "window"}),
        word.source,
        hashlib.sha256(word.source.read_bytes()).hexdigest(),
        word.manifest.cutoff,
        word.manifest.window,
    )


def compiled(model: ModelSpec) -> CompiledWord:
    """The word that a model was chosen from."""
    return CompiledWord(model.name, model.blob, parse_manifest(model.manifest), model.source)

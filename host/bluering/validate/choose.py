"""From what the user typed to a model that can be measured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bluering.models.compiled import source_sha256
from bluering.models.errors import ModelError
from bluering.models.manifest import parse_manifest
from bluering.models.packaged import CompiledWord, chosen
from bluering.validate.corpus import slug
from bluering.validate.engines import ModelSpec


def choose_models(texts: Sequence[str]) -> tuple[ModelSpec, ...]:
    """Several at once, each with a name of its own; ModelError when one is named twice."""
    chosen = [choose_model(text) for text in texts]
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice:
        raise ModelError(f"the model {twice[0]} is named twice: once is enough")
    names = Counter(model.name for model in chosen)
    return tuple(
        model if names[model.name] == 1 else replace(model, name=text)
        for text, model in zip(texts, chosen, strict=True)
    )


def choose_model(text: str) -> ModelSpec:
    """A packaged model's name, or the manifest (.json) beside a model; ModelError when neither."""
    word = chosen(text)
    return ModelSpec(
        word.name,
        slug(word.manifest.wake_word),
        word.blob,
        word.manifest.model_dump_json(exclude={"cutoff", "window"}),
        word.source,
        source_sha256(word.blob).hex(),
        word.manifest.cutoff,
        word.manifest.window,
    )


def compiled(model: ModelSpec) -> CompiledWord:
    """The word that a model was chosen from."""
    return CompiledWord(slug(model.name), model.blob, parse_manifest(model.manifest), model.source)

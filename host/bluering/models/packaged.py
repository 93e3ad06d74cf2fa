"""Words ready for a device: our own, and those of other manifests."""

from dataclasses import dataclass
from pathlib import Path

from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.manifest import Manifest, read_manifest
from bluering.models.tflite_reader import read_tflite

# Our models: inside the installed package, or the checkout's.
_INSTALLED = Path(__file__).with_name("words")
_CHECKOUT = Path(__file__).parents[3] / "models"


@dataclass(frozen=True)
class CompiledWord:
    """A word: its file name on the device, its compiled model, its manifest, its ``.tflite``."""

    name: str
    blob: bytes
    manifest: Manifest
    source: Path


def packaged_names() -> list[str]:
    """The names of the models that come with BlueRing."""
    return sorted(_manifests())


def packaged(name: str) -> CompiledWord:
    """A model that comes with BlueRing, compiled. Raises ModelError when there is none of that
    name."""
    manifests = _manifests()
    if name not in manifests:
        raise ModelError(f"there is no packaged model {name!r}; there is {', '.join(manifests)}")
    return compiled_word(manifests[name])


def chosen(text: str) -> CompiledWord:
    """What people name a word by: a packaged model's name, or the manifest (.json) beside any
    other. Raises ModelError when it is neither."""
    return compiled_word(Path(text)) if text.endswith(".json") else packaged(text)


def compiled_word(manifest: Path) -> CompiledWord:
    """The word of a manifest with its ``.tflite`` beside it, compiled. Raises ModelError."""
    found = read_manifest(manifest)
    source = manifest.parent / found.model
    try:
        blob = compile_model(read_tflite(source))
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error
    return CompiledWord(manifest.stem, blob, found, source)


def _manifests() -> dict[str, Path]:
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    found = (path for path in folder.glob("*/*.json") if path.stem == path.parent.name)
    return {path.stem: path for path in sorted(found)}

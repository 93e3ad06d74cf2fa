"""Words ready for a device: those that the package pymicro-wakeword carries, and any others."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.manifest import Manifest, read_manifest
from bluering.models.tflite_reader import read_tflite


@dataclass(frozen=True)
class CompiledWord:
    """A word: its file name on the device, its compiled model, its manifest, its ``.tflite``."""

    name: str
    blob: bytes
    manifest: Manifest
    source: Path

    def with_blob(self, blob: bytes) -> "CompiledWord":
        """The same word with another content of its compiled model."""
        return replace(self, blob=blob)


def packaged_names() -> list[str]:
    """The names of the packaged models."""
    return sorted(path.stem for path in _folder().glob("*.json"))


def packaged(name: str) -> CompiledWord:
    """A packaged model, compiled. Raises ModelError when there is none of that name."""
    manifest = _folder() / f"{name}.json"
    if name not in packaged_names():
        raise ModelError(
            f"there is no packaged model {name!r}; there is {', '.join(packaged_names())}"
        )
    return compiled_word(manifest)


def compiled_word(manifest: Path) -> CompiledWord:
    """The word of a manifest with its ``.tflite`` beside it, compiled. Raises ModelError."""
    found = read_manifest(manifest)
    source = manifest.parent / found.model
    try:
        blob = compile_model(read_tflite(source))
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from error
    return CompiledWord(manifest.stem, blob, found, source)


def _folder() -> Path:
    spec = find_spec("pymicro_wakeword")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the package pymicro-wakeword, which carries the models, isn't installed")
    return Path(spec.submodule_search_locations[0]) / "models"

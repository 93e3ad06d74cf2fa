"""Words ready for a device: our own, those of the package pymicro-wakeword beside them, others."""

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.manifest import Manifest, read_manifest
from bluering.models.tflite_reader import read_tflite

# Our own models: inside the installed package, or the checkout's.
_INSTALLED = Path(__file__).with_name("words")
_CHECKOUT = Path(__file__).parents[3] / "models"


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


def peer(name: str) -> Path:
    """The manifest of a model of the package pymicro-wakeword, whatever ours is called. Raises
    ModelError when there is none of that name."""
    manifest = _others() / f"{name}.json"
    if not manifest.is_file():
        raise ModelError(f"the package pymicro-wakeword has no model {name!r}")
    return manifest


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
    """By name; of two models of one name our own counts."""
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    ours = {p.stem: p for p in folder.glob("*/*.json") if p.stem == p.parent.name}
    others = {path.stem: path for path in _others().glob("*.json")}
    return dict(sorted((others | ours).items()))


def _others() -> Path:
    spec = find_spec("pymicro_wakeword")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the package pymicro-wakeword, which carries the models, isn't installed")
    return Path(spec.submodule_search_locations[0]) / "models"

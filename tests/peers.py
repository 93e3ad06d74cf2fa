"""The models of the package pymicro-wakeword: measured beside ours, never words of the product."""

from importlib.util import find_spec
from pathlib import Path

from bluering.models.packaged import CompiledWord, compiled_word, packaged, packaged_names

PEERS = ("alexa", "hey_jarvis", "hey_mycroft", "okay_nabu")


def peer(name: str) -> Path:
    """The manifest of one of them. Raises LookupError when the package hasn't got it."""
    spec = find_spec("pymicro_wakeword")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise LookupError("the package pymicro-wakeword isn't installed: the extra 'peers' has it")
    manifest = Path(folders[0]) / "models" / f"{name}.json"
    if not manifest.is_file():
        raise LookupError(f"the package pymicro-wakeword has no model {name!r}")
    return manifest


def every_model() -> dict[str, CompiledWord]:
    """Ours by their names, and theirs as "peer alexa": for what must hold of any network."""
    words = {name: packaged(name) for name in packaged_names()}
    return words | {f"peer {name}": compiled_word(peer(name)) for name in PEERS}

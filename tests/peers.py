"""The models of the package pymicro-wakeword: measured beside ours, never words of the product."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from bluering.models.cascade import stages_of
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


class Network(NamedTuple):
    """One network, compiled, and the ``.tflite`` that it was compiled from."""

    blob: bytes
    source: Path


def every_model() -> dict[str, Network]:
    """Ours by their names, a word's second network as "NAME second", and theirs as "peer alexa":
    for what must hold of any network."""
    words = {name: packaged(name) for name in packaged_names()}
    words |= {f"peer {name}": compiled_word(peer(name)) for name in PEERS}
    found = {}
    for name, word in words.items():
        found |= networks(name, word)
    return found


def networks(name: str, word: CompiledWord) -> dict[str, Network]:
    """Those of a word."""
    stages = stages_of(word.blob)
    if stages is None or word.second is None:
        return {name: Network(word.blob, word.source)}
    first = Network(stages.first, word.source)
    return {name: first, f"{name} second": Network(stages.second, word.second)}

"""The folder of a model: the ``.tflite``, its manifest, evaluation, card and lock."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluering import files
from bluering.models.manifest import Manifest, Micro
from bluering.training.recipe import Recipe
from bluering.training.ship.card import Card, card_text
from bluering.training.ship.judge import Cutoff

_ARENA = 26_080  # bytes, for ESPHome: as microWakeWord's models of this class need


@dataclass(frozen=True)
class ModelFolder:
    """The paths of its files."""

    path: Path
    name: str

    @property
    def model(self) -> Path:
        return self.path / f"{self.name}.tflite"

    @property
    def manifest(self) -> Path:
        return self.path / f"{self.name}.json"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def synthetic(self) -> Path:
        return self.path / "synthetic.json"

    @property
    def card(self) -> Path:
        return self.path / "CARD.md"

    @property
    def lock(self) -> Path:
        return self.path / "lock.json"


def write_model(recipe: Recipe, model: bytes, cutoff: Cutoff, folder: ModelFolder) -> None:
    """Write the ``.tflite`` and its manifest."""
    folder.path.mkdir(parents=True, exist_ok=True)
    aside = folder.model.with_suffix(".part")
    aside.write_bytes(model)
    aside.replace(folder.model)
    manifest = Manifest(
        type="micro",
        wake_word=recipe.phrase,
        author="BlueRing",
        model=folder.model.name,
        trained_languages=["en"],
        version=2,
        micro=Micro(
            probability_cutoff=_as_share(cutoff.value),
            sliding_window_size=recipe.window,
            feature_step_size=10,
            tensor_arena_size=_ARENA,
            minimum_esphome_version="2024.7.0",
        ),
    )
    content = manifest.model_dump(exclude={"cutoff", "window"}, exclude_none=True)
    files.write(folder.manifest, json.dumps(content, indent=2) + "\n")


def write_card(card: Card, folder: ModelFolder) -> None:
    """Write CARD.md."""
    files.write(folder.card, card_text(card))


def _as_share(cutoff: int) -> float:
    """A decimal that the manifest's rule, int(share * 255), turns back into this cutoff."""
    share = round(cutoff / 255 + 0.0005, 4)
    while int(share * 255) < cutoff:
        share = round(share + 0.0001, 4)
    return share


def write_lock(record: Mapping[str, Any], folder: ModelFolder) -> None:
    """Write lock.json."""
    files.write(folder.lock, json.dumps(record, indent=1, sort_keys=True) + "\n")


def read_notes(folder: ModelFolder) -> str:
    """What people have to add to the card: notes.md beside it, if there is one."""
    path = folder.path / "notes.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""

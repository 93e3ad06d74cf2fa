"""The manifest beside a model: ESPHome's JSON for micro wake words, version 2."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from bluering.models.errors import ModelError

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Text = Annotated[str, Field(min_length=1)]


class Micro(BaseModel):
    """How the model's probabilities become a decision, and what it needs."""

    model_config = _STRICT

    probability_cutoff: Annotated[float, Field(gt=0, lt=1)]
    sliding_window_size: Annotated[int, Field(ge=1, le=255)]  # outputs that are averaged
    feature_step_size: Literal[10]  # ms from one row of features to the next
    tensor_arena_size: Annotated[int, Field(gt=0)]  # bytes, for ESPHome
    minimum_esphome_version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]


class Manifest(BaseModel):
    """A wake word and its model. Dumped, it also tells the device its cutoff and its window."""

    model_config = _STRICT

    type: Literal["micro"]
    wake_word: _Text
    author: _Text
    website: str | None = None
    model: _Text  # the .tflite's file name
    trained_languages: list[_Text]
    version: Literal[2]
    micro: Micro

    @computed_field
    @property
    def cutoff(self) -> int:
        """On the scale of the model's output, 0..255, as ESPHome rounds it."""
        return int(self.micro.probability_cutoff * 255)

    @computed_field
    @property
    def window(self) -> int:
        """Outputs in the sliding mean."""
        return self.micro.sliding_window_size


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises ModelError naming each field that is wrong."""
    text = _text(path)
    try:
        return parse_manifest(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: can't be read: {error}") from error


def parse_manifest(text: str) -> Manifest:
    """The manifest in a JSON text. Raises ModelError naming each field that is wrong."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"not JSON: {error}") from error
    if isinstance(content, dict) and content.get("version") == 1:
        raise ModelError(
            "version: 1 is for models that take a row of features every 20 ms; the device makes "
            "one every 10 ms. Use the model's version 2, or train it again"
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ModelError("; ".join(_faults(error))) from error


def _faults(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'the manifest'}: {fault['msg']}"
        for fault in error.errors()
    ]

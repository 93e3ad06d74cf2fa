"""Real recordings of the word, where a recipe names folders of them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.sound_files import AudioError, read
from bluering.training.errors import TrainingError
from bluering.training.speak.speech import Clip
from bluering.training.speak.voices import RATE, Utterance, tidy
from bluering.validate.speech_level import active_speech_level, word_end

ENGINE = "recorded"

_SUFFIXES = (".flac", ".ogg", ".opus", ".wav")
_MARGIN = RATE // 50  # samples left before and after the word


def recordings(folders: Iterable[str]) -> tuple[Path, ...]:
    """The sound files in some folders, in order. Raises TrainingError for a folder without any."""
    found: list[Path] = []
    for folder in folders:
        files = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not files:
            raise TrainingError(
                f"the recipe's folder of recordings {folder} has no sound files "
                f"({', '.join(_SUFFIXES)}); its path is relative to the current folder"
            )
        found += files
    return tuple(found)


def recorded_clips(paths: Iterable[Path], phrase: str) -> list[Clip]:
    """A clip of each recording, trimmed to the word. Raises TrainingError."""
    return [_clip(path, phrase) for path in paths]


def _clip(path: Path, phrase: str) -> Clip:
    try:
        samples = read(path)
    except AudioError as error:
        raise TrainingError(
            f"{path} can't be trained on: {error}; remove it from the recipe's folder"
        ) from error
    word = tidy(_word(samples), RATE)
    if not len(word):
        raise TrainingError(f"{path} has no sound in it; remove it from the recipe's folder")
    return Clip(Utterance(phrase, ENGINE, path.stem), word)


def _word(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    level = active_speech_level(samples)
    if level is None:
        return samples[:0]
    begin = len(samples) - word_end(samples[::-1], level)
    return samples[max(0, begin - _MARGIN) : word_end(samples, level) + _MARGIN]

"""Look-alikes that wake the finished model."""

from collections.abc import Sequence

import numpy as np

from bluering.models.reference import scores
from bluering.training.augment.features import features
from bluering.training.errors import TrainingError
from bluering.training.recipe import Recipe
from bluering.training.speak.lookalikes import LookAlike, nearest, pronunciations
from bluering.training.speak.speech import Clip
from bluering.validate.mix import placed, quiet, to_int16

_CLIPS = 400


def confusions(
    recipe: Recipe, look_alikes: Sequence[Clip], blob: bytes, cutoff: int
) -> tuple[tuple[LookAlike, float], ...]:
    """The synthetic look-alikes whose score is above the cutoff, 0..255, worst first, each with its
    highest score, 0..1. blob: the compiled model."""
    rng = np.random.default_rng(recipe.seed)
    worst: dict[str, float] = {}
    for index in rng.permutation(len(look_alikes))[:_CLIPS]:
        clip = look_alikes[index]
        x = placed(clip.samples)
        rows = features(to_int16(x + quiet(len(x), rng)))
        window = np.ones(recipe.window) / recipe.window
        sliding = np.convolve(scores(blob, rows).astype(float), window, "valid")
        highest = float(sliding.max(initial=0.0))
        if highest > cutoff:
            text = clip.utterance.text.rstrip(".!?,").lower()
            worst[text] = max(worst.get(text, 0.0), highest / 256)
    pairs = ((LookAlike(text, _distance(text, recipe.phrase)), s) for text, s in worst.items())
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _distance(text: str, phrase: str) -> float:
    """NaN where the dictionary lacks a word of either."""
    try:
        return nearest(pronunciations(text), pronunciations(phrase))
    except TrainingError:
        return float("nan")

"""The trigger threshold (cutoff), and how close the int8 model is to the float one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.models.compiled import parse_compiled
from bluering.models.reference import scores
from bluering.sound_files import read
from bluering.training.augment.features import features
from bluering.training.augment.streams import Stream
from bluering.training.errors import TrainingError
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.scores import phases, stream_scores
from bluering.training.recipe import Recipe
from bluering.training.speak.speech import Clip
from bluering.validate.corpus import load_corpus
from bluering.validate.mix import placed, quiet, to_int16
from bluering.validate.results import Trace
from bluering.validate.scoring import CUTOFFS, WakeCounter, hop_scores, lowest_cutoff

_ROUNDED_CLIPS, _FEW_CLIPS = 200, 50
_LOWEST, _HIGHEST = 64, 250  # cutoffs, of 0..255, that leave room to adjust them


@dataclass(frozen=True)
class Cutoff:
    """The lowest cutoff with no more false accepts than wanted, and what it was chosen on."""

    value: int  # 0..255
    accepts: int
    hours: float  # in all phases together
    phases: int  # of the network's steps

    @classmethod
    def unknown(cls) -> "Cutoff":
        """The middle of the scale, where there are no recordings to choose on."""
        return cls(CUTOFFS // 2, 0, 0.0, 1)


def choose_cutoff(blob: bytes, window: int, streams: Sequence[Stream], per_hour: float) -> Cutoff:
    """Choose the cutoff of a compiled model on held-out streams, in every phase of its steps.

    window: scores in the sliding mean; per_hour: false accepts to allow. Raises TrainingError where
    no cutoff keeps to them.
    """
    counts = np.zeros(CUTOFFS, np.int64)
    hops = 0
    stride = parse_compiled(blob).header.stride
    for rows in (phase for stream in streams for phase in phases(stream.rows, stride)):
        counter = WakeCounter()
        trace = Trace(scores(blob, rows), stride, stride, 0)
        counter.push(hop_scores(trace, window, len(rows)))
        counts += counter.counts
        hops += len(rows)
    if not hops:
        return Cutoff.unknown()
    hours = hops / 100 / 3600
    found = lowest_cutoff(counts, hours, per_hour)
    if found is None or found > _HIGHEST:
        raise TrainingError(
            f"no cutoff keeps to {per_hour:g} false accepts per hour: even at {_HIGHEST} the model "
            f"wakes {counts[_HIGHEST]} times in {hours:.1f} h. Train for longer, with more "
            "look-alikes, or choose a longer phrase"
        )
    found = max(found, _LOWEST)
    return Cutoff(found, int(counts[found]), hours, stride)


@dataclass(frozen=True)
class Rounding:
    """The difference |int8 - float| of the sliding mean of scores, 0..1."""

    clips: int
    largest: float  # of any step of any clip
    percentile_99: float  # of the clips' largest differences

    @classmethod
    def unknown(cls) -> "Rounding":
        """Nothing was compared."""
        return cls(0, 0.0, 0.0)


@dataclass(frozen=True)
class TrainedModel:
    """A model as it ships."""

    model: bytes  # the .tflite
    blob: bytes  # compiled
    rounding: Rounding


def rounding(
    net: QuantisedNet, blob: bytes, window: int, clips: Sequence[NDArray[np.uint8]]
) -> Rounding:
    """Compare the compiled model with the same network without rounding on clips of features."""
    worst = []
    net.eval()
    net.quantise = False
    # The compiled model's steps begin with the first row; the network's first step ends when its
    # receptive field is full. Skipping these rows makes steps of both end with the same rows.
    skipped = -net.receptive % net.stride
    full = (net.receptive + skipped) // net.stride - 1
    try:
        for rows in clips:
            unrounded = stream_scores(net, rows[skipped:], window)
            int8 = scores(blob, rows).astype(np.float64)[full:] / 256
            sliding = np.convolve(int8, np.ones(window) / window, "valid")
            assert len(sliding) == len(unrounded)
            worst.append(float(np.abs(sliding - unrounded).max(initial=0.0)))
    finally:
        net.quantise = True
    if not worst:
        return Rounding.unknown()
    return Rounding(len(worst), max(worst), float(np.percentile(worst, 99)))


def rounding_clips(recipe: Recipe, corpus: Path, spoken: Sequence[Clip]) -> list[NDArray[np.uint8]]:
    """Features of real clips of the word, and of held-out synthetic ones if those are few."""
    clips = []
    if corpus.is_file():
        recordings = load_corpus(corpus, {recipe.name}).recordings
        clips = [read(r.path) for r in recordings if r.positive][:_ROUNDED_CLIPS]
    if len(clips) < _FEW_CLIPS:
        clips += [clip.samples for clip in spoken[: _ROUNDED_CLIPS - len(clips)]]
    rng = np.random.default_rng(recipe.seed)
    return [features(to_int16(placed(x) + quiet(len(placed(x)), rng))) for x in clips]

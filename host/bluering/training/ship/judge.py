"""The stage "evaluate": the cutoff, and how near the int8 model comes to the float one."""

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
_LOWEST, _HIGHEST = 64, 250  # cutoffs on the scale of 0..255 that leave room on both sides


@dataclass(frozen=True)
class Cutoff:
    """The lowest that keeps to the false accepts asked for, and what it was chosen on."""

    value: int  # 0..255
    accepts: int
    hours: float  # heard, each as often as there are phases
    phases: int  # of the steps

    @classmethod
    def unknown(cls) -> "Cutoff":
        """Nothing was heard: the middle of the scale."""
        return cls(CUTOFFS // 2, 0, 0.0, 1)


def choose_cutoff(blob: bytes, window: int, heard: Sequence[Stream], per_hour: float) -> Cutoff:
    """Chosen on streams that training didn't learn from, by the compiled model, in every
    phase that its steps may have. Where there are none, the middle of the scale."""
    counts = np.zeros(CUTOFFS, np.int64)
    hops = 0
    stride = parse_compiled(blob).header.stride
    for rows in (phase for stream in heard for phase in phases(stream.rows, stride)):
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
            f"no cutoff keeps to {per_hour:g} false accepts per hour: the model wakes "
            f"{counts[_HIGHEST]} times in {hours:.1f} h even at {_HIGHEST}. Train longer, with "
            "more look-alikes, or choose a longer phrase"
        )
    found = max(found, _LOWEST)
    return Cutoff(found, int(counts[found]), hours, stride)


@dataclass(frozen=True)
class Rounding:
    """|int8 - float| of the sliding mean of the score, 0..1."""

    clips: int
    largest: float  # of any step of any clip
    percentile_99: float  # of the clips' largest differences

    @classmethod
    def unknown(cls) -> "Rounding":
        """Nothing was measured."""
        return cls(0, 0.0, 0.0)


@dataclass(frozen=True)
class Trained:
    """A network as it ships."""

    model: bytes  # the .tflite
    blob: bytes  # compiled
    rounding: Rounding


def rounding(
    net: QuantisedNet, blob: bytes, window: int, clips: Sequence[NDArray[np.uint8]]
) -> Rounding:
    """The compiled model against the same network without rounding, on rows of features."""
    worst = []
    net.eval()
    net.quantise = False
    # The compiled model steps from the first row on; the network's first step ends with the row
    # with which its memory is full. Both end with the same rows from here on.
    skipped = -net.receptive % net.stride
    full = (net.receptive + skipped) // net.stride - 1
    try:
        for rows in clips:
            real = stream_scores(net, rows[skipped:], window)
            whole = scores(blob, rows).astype(np.float64)[full:] / 256
            sliding = np.convolve(whole, np.ones(window) / window, "valid")
            assert len(sliding) == len(real)
            worst.append(float(np.abs(sliding - real).max(initial=0.0)))
    finally:
        net.quantise = True
    if not worst:
        return Rounding.unknown()
    return Rounding(len(worst), max(worst), float(np.percentile(worst, 99)))


def rounding_clips(recipe: Recipe, corpus: Path, spoken: Sequence[Clip]) -> list[NDArray[np.uint8]]:
    """Features of real clips of the word; where they are few, of held-out synthetic ones too."""
    clips = []
    if corpus.is_file():
        recordings = load_corpus(corpus, {recipe.name}).recordings
        clips = [read(r.path) for r in recordings if r.positive][:_ROUNDED_CLIPS]
    if len(clips) < _FEW_CLIPS:
        clips += [clip.samples for clip in spoken[: _ROUNDED_CLIPS - len(clips)]]
    rng = np.random.default_rng(recipe.seed)
    return [features(to_int16(placed(x) + quiet(len(placed(x)), rng))) for x in clips]

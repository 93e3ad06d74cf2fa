"""The training step: what is in a batch, its loss, and how hard examples are mined.

Each batch has words, look-alikes and excerpts of hours of real sound, harder ones more often: every
so often all of it is scored, and what scores high is drawn more often from then on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.models.streaming_writer import FEATURES
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import FRAMES, Tracks
from bluering.training.augment.warp import Warp, warped
from bluering.training.fit import losses
from bluering.training.fit.lessons import Lesson, Lessons, distillation_loss, joined
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.scores import stream_logits
from bluering.training.fit.teacher import SURE
from bluering.training.recipe import Recipe

_EARLY, _LATE = -8, 26  # rows from the word's end within which an output must be high
_BEGUN = 0.35  # the share of a word before which outputs must be low
_LONG_AFTER = 75  # rows from its end, after which outputs must be low again
_SECOND = 100  # rows
_SCAN_EVERY = 600
_EASY = 0.02  # the weight of a second that is never taken for the word, beside 1
_NOISY, _SELDOM = 5.0, 0.5  # words at an SNR below this, in dB, are drawn that much less often
_MIXED = 0.5  # the share of words that other sound is mixed with
_HARDEST = 6  # highest outputs of a track without the word, which count most
_DISTILLATION = 2.0  # the weight of the teacher's targets


@dataclass(frozen=True)
class Material:
    """What to train on and, held out, what to choose weights by."""

    words: Tracks
    others: Tracks
    streams: list[Stream]
    held_out_words: Tracks
    held_out_streams: list[Stream]
    lessons: Lessons


class Loop:
    """Draws batches, computes losses, keeps track of what is hard."""

    def __init__(self, recipe: Recipe, material: Material, net: Net | QuantisedNet) -> None:
        torch.set_num_threads(recipe.training.threads)
        self._rng = np.random.default_rng(recipe.seed)
        self._weight = recipe.training.negative_weight
        self._batch = recipe.training.batch
        self._doubted = recipe.training.doubted
        self._words, self._others = material.words, material.others
        self._hardness = np.ones(len(self._others))
        share = np.where(material.words.snr < _NOISY, _SELDOM, 1.0)
        self._word_share = share / share.sum()
        nothing = np.zeros((0, FEATURES), np.uint8)
        self._rows = np.concatenate([nothing, *(stream.rows for stream in material.streams)])
        self._streams = material.streams
        self._lessons = material.lessons
        seconds = max(1, len(self._rows) // _SECOND)
        self._seconds = np.ones(seconds) / seconds
        self._receptive, self._stride = net.receptive, net.stride
        self._count = 0
        self._mean: list[tuple[float, float, float]] = []

    def state_dict(self) -> dict[str, Any]:
        """The state, for a checkpoint."""
        return {
            "rng": self._rng.bit_generator.state,
            "hardness": self._hardness,
            "seconds": self._seconds,
            "count": self._count,
            "mean": self._mean,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict returned."""
        self._rng.bit_generator.state = state["rng"]
        self._hardness, self._seconds = state["hardness"], state["seconds"]
        self._count, self._mean = state["count"], state["mean"]

    def step(self, net: Net | QuantisedNet, optimiser: torch.optim.Optimizer) -> str:
        """Train on one batch; a line for people with the mean of the latest losses."""
        if self._count and self._count % _SCAN_EVERY == 0:
            self._scan(net)
        self._count += 1
        net.train()
        batch = self._batch
        words = self._rng.choice(len(self._words), batch.words, p=self._word_share)
        crops, lesson = self._crops()
        share = self._hardness / self._hardness.sum()
        others = self._rng.choice(len(self._others), batch.others, p=share)
        mixed = self._mixed(self._words.features[words], crops)
        rows = np.concatenate([mixed, self._others.features[others], crops])
        phase = int(self._rng.integers(self._stride))
        rows, warp = warped(rows, self._rng)
        logits = net(self._masked(rows[:, phase:]))
        ends = torch.arange(logits.shape[1]) * self._stride + self._receptive - 1 + phase
        missed, false_wakes = self._word_loss(logits[: batch.words], words, warp, ends)
        negative, peaks = losses.negative(logits[batch.words :], _HARDEST)
        lesson = joined([self._of_words(words), self._lessons.of_others(others), lesson])
        distilled = distillation_loss(lesson.moved(warp), logits, ends)
        loss = missed + self._weight * (negative + 0.5 * false_wakes) + _DISTILLATION * distilled
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        hard = 0.15 + 6 * peaks[: batch.others].numpy()
        self._hardness[others] = np.clip(0.6 * self._hardness[others] + 0.4 * hard, 0.15, 4)
        self._mean = [*self._mean[-99:], (missed.item(), negative.item(), distilled.item())]
        means = np.mean(self._mean, axis=0)
        return f"words {means[0]:.3f}, others {means[1]:.4f}, teacher {means[2]:.3f}"

    def _of_words(self, words: NDArray[np.int64]) -> Lesson:
        lesson = self._lessons.of_words(words)
        if self._doubted:
            return lesson
        return lesson.raised(self._begun(words), self._words.end[words] + _LONG_AFTER)

    def _begun(self, words: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rows from which so much of each word has been said that outputs may be high."""
        start, end = self._words.start[words], self._words.end[words]
        return start + _BEGUN * (end - start)

    def _crops(self) -> tuple[NDArray[np.uint8], Lesson]:
        """Excerpts of streams; where there are none, more of the tracks without the word."""
        count = self._batch.hours
        if len(self._rows) < FRAMES:
            chosen = self._rng.integers(len(self._others), size=count)
            return self._others.features[chosen], self._lessons.of_others(chosen)
        seconds = self._rng.choice(len(self._seconds), count, p=self._seconds)
        # The drawn second lies anywhere in the rows after the receptive field.
        room = FRAMES - self._receptive - _SECOND
        starts = seconds * _SECOND - self._receptive - self._rng.integers(0, room, count)
        starts = np.clip(starts, 0, len(self._rows) - FRAMES)
        rows = self._rows[starts[:, None] + np.arange(FRAMES)]
        return rows, self._lessons.of_streams(starts)

    def _mixed(self, words: NDArray[np.uint8], crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Mix real sound of this batch into some of the words. Features are nearly logarithmic, so
        the louder of two sounds is what counts in a band."""
        mixed = words.copy()
        for row, crop in zip(mixed, self._rng.permutation(crops)[: len(words)], strict=False):
            if self._rng.random() < _MIXED:
                softer = crop.astype(np.int16) - int(self._rng.integers(20, 140))
                np.maximum(row, np.clip(softer, 0, 255).astype(np.uint8), out=row)
        return mixed

    def _masked(self, x: Tensor) -> Tensor:
        """SpecAugment (Park et al., 2019): mask some bands and moments; add a little noise."""
        for track in x:
            if self._rng.random() < 0.5:
                band = int(self._rng.integers(0, 40))
                track[:, band : band + int(self._rng.integers(1, 6))] = 0
            if self._rng.random() < 0.35:
                moment = int(self._rng.integers(0, len(track)))
                track[moment : moment + int(self._rng.integers(2, 9))] = 0
        return x + 0.5 * torch.randn_like(x)

    def _word_loss(
        self, logits: Tensor, words: NDArray[np.int64], warp: Warp, ends: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Losses of missing the word and of waking before it or long after it."""
        moved = Warp(warp.stretch[: len(words)])
        start = torch.from_numpy(moved.place(self._words.start[words]))[:, None]
        end = torch.from_numpy(moved.place(self._words.end[words]))[:, None]
        since = ends[None].float() - end
        capped = logits.clamp(max=SURE)
        pooled = functional.avg_pool1d(capped[:, None], 4, 1)[:, 0]
        in_time = ((since >= _EARLY) & (since <= _LATE))[:, 3:]
        missed = losses.missed(pooled, in_time)
        after = (since >= 2) & (since <= 14)
        held = losses.mean_of(functional.softplus(-capped), after)
        far = (ends[None] < start + _BEGUN * (end - start)) | (since > _LONG_AFTER)
        return missed + 0.5 * held, losses.false_wakes(logits, far)

    def _scan(self, net: Net | QuantisedNet) -> None:
        """Score all streams and weight each second by how close it came to a wake."""
        found, at = np.full(len(self._seconds), -9.0), 0
        for stream in self._streams:
            logits = stream_logits(net, stream.rows)
            places = at + self._receptive - 1 + np.arange(len(logits)) * self._stride
            seconds = np.minimum(places // _SECOND, len(found) - 1)
            np.maximum.at(found, seconds, logits)
            at += len(stream.rows)
        weights = _EASY + 1 / (1 + np.exp(-np.clip(found + 1.0, -12, 6)))
        self._seconds = weights / weights.sum()

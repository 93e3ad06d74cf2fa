"""One step of training after another: what a batch is made of, what it costs, what was hard.

Each step sees words, look-alikes and hours of real sound, the harder the more often: every so
often the network hears all of it and what scores high is drawn more.
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
from bluering.training.fit.lessons import Lesson, Lessons, apart, joined
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.scores import stream_logits
from bluering.training.fit.teacher import SURE
from bluering.training.recipe import Recipe

_EARLY, _LATE = -8, 26  # rows from the word's end within which it must be heard
_BEGUN = 0.35  # the share of a word before which it must not be heard
_LONG_AFTER = 75  # rows from its end, after which it must not be heard any more
_SECOND = 100  # rows
_SCAN_EVERY = 600
_EASY = 0.02  # how likely a second is that nearly nobody takes for the word, beside 1
_NOISY, _SELDOM = 5.0, 0.5  # words in louder noise, dB, come that much less often
_MIXED = 0.5  # the share of words with other sound behind them
_HARDEST = 6  # outputs of a track without the word
_TAUGHT = 2.0  # the weight of what the teacher says


@dataclass(frozen=True)
class Material:
    """What is learned from and, held out, chosen by."""

    words: Tracks
    others: Tracks
    streams: list[Stream]
    held_out_words: Tracks
    held_out_streams: list[Stream]
    lessons: Lessons


class Loop:
    """Draws batches, computes the loss, remembers what was hard."""

    def __init__(self, recipe: Recipe, material: Material, net: Net | QuantisedNet) -> None:
        torch.set_num_threads(recipe.training.threads)
        self._dice = np.random.default_rng(recipe.seed)
        self._weight = recipe.training.negative_weight
        self._batch = recipe.training.batch
        self._doubted = recipe.training.doubted
        self._words, self._others = material.words, material.others
        self._hardness = np.ones(len(self._others))
        likely = np.where(material.words.snr < _NOISY, _SELDOM, 1.0)
        self._likely = likely / likely.sum()
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
        """For a checkpoint."""
        return {
            "dice": self._dice.bit_generator.state,
            "hardness": self._hardness,
            "seconds": self._seconds,
            "count": self._count,
            "mean": self._mean,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What state_dict gave."""
        self._dice.bit_generator.state = state["dice"]
        self._hardness, self._seconds = state["hardness"], state["seconds"]
        self._count, self._mean = state["count"], state["mean"]

    def step(self, net: Net | QuantisedNet, optimiser: torch.optim.Optimizer) -> str:
        """Learn from one batch; what it cost on average lately, for people."""
        if self._count and self._count % _SCAN_EVERY == 0:
            self._scan(net)
        self._count += 1
        net.train()
        batch = self._batch
        words = self._dice.choice(len(self._words), batch.words, p=self._likely)
        crops, lesson = self._crops()
        share = self._hardness / self._hardness.sum()
        others = self._dice.choice(len(self._others), batch.others, p=share)
        spoken = self._mixed(self._words.features[words], crops)
        rows = np.concatenate([spoken, self._others.features[others], crops])
        phase = int(self._dice.integers(self._stride))
        rows, warp = warped(rows, self._dice)
        logits = net(self._masked(rows[:, phase:]))
        ends = torch.arange(logits.shape[1]) * self._stride + self._receptive - 1 + phase
        heard, quiet = self._word_loss(logits[: batch.words], words, warp, ends)
        wrong, peaks = losses.negative(logits[batch.words :], _HARDEST)
        lesson = joined([self._of_words(words), self._lessons.of_others(others), lesson])
        taught = apart(lesson.moved(warp), logits, ends)
        loss = heard + self._weight * (wrong + 0.5 * quiet) + _TAUGHT * taught
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        hard = 0.15 + 6 * peaks[: batch.others].numpy()
        self._hardness[others] = np.clip(0.6 * self._hardness[others] + 0.4 * hard, 0.15, 4)
        self._mean = [*self._mean[-99:], (heard.item(), wrong.item(), taught.item())]
        means = np.mean(self._mean, axis=0)
        return f"words {means[0]:.3f}, others {means[1]:.4f}, teacher {means[2]:.3f}"

    def _of_words(self, words: NDArray[np.int64]) -> Lesson:
        lesson = self._lessons.of_words(words)
        if self._doubted:
            return lesson
        return lesson.raised(self._begun(words), self._words.end[words] + _LONG_AFTER)

    def _begun(self, words: NDArray[np.int64]) -> NDArray[np.float64]:
        """The rows from which on so much of each word is said that it may be heard."""
        start, end = self._words.start[words], self._words.end[words]
        return start + _BEGUN * (end - start)

    def _crops(self) -> tuple[NDArray[np.uint8], Lesson]:
        """Of the streams; where there are none, more of the tracks."""
        count = self._batch.hours
        if len(self._rows) < FRAMES:
            chosen = self._dice.integers(len(self._others), size=count)
            return self._others.features[chosen], self._lessons.of_others(chosen)
        seconds = self._dice.choice(len(self._seconds), count, p=self._seconds)
        # The second that was drawn lies somewhere in the rows that give outputs.
        room = FRAMES - self._receptive - _SECOND
        starts = seconds * _SECOND - self._receptive - self._dice.integers(0, room, count)
        starts = np.clip(starts, 0, len(self._rows) - FRAMES)
        rows = self._rows[starts[:, None] + np.arange(FRAMES)]
        return rows, self._lessons.of_streams(starts)

    def _mixed(self, words: NDArray[np.uint8], crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Some words with real sound of this batch behind them. Features are nearly logarithms:
        of two sounds at once the louder one is what is heard in a band."""
        mixed = words.copy()
        for row, crop in zip(mixed, self._dice.permutation(crops)[: len(words)], strict=False):
            if self._dice.random() < _MIXED:
                softer = crop.astype(np.int16) - int(self._dice.integers(20, 140))
                np.maximum(row, np.clip(softer, 0, 255).astype(np.uint8), out=row)
        return mixed

    def _masked(self, x: Tensor) -> Tensor:
        """SpecAugment (Park et al., 2019): some bands and some moments missing; a little noise."""
        for track in x:
            if self._dice.random() < 0.5:
                band = int(self._dice.integers(0, 40))
                track[:, band : band + int(self._dice.integers(1, 6))] = 0
            if self._dice.random() < 0.35:
                moment = int(self._dice.integers(0, len(track)))
                track[moment : moment + int(self._dice.integers(2, 9))] = 0
        return x + 0.5 * torch.randn_like(x)

    def _word_loss(
        self, logits: Tensor, words: NDArray[np.int64], warp: Warp, ends: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The word must be heard in time, and nothing before it begins or long after it."""
        moved = Warp(warp.stretch[: len(words)])
        start = torch.from_numpy(moved.place(self._words.start[words]))[:, None]
        end = torch.from_numpy(moved.place(self._words.end[words]))[:, None]
        since = ends[None].float() - end
        capped = logits.clamp(max=SURE)
        pooled = functional.avg_pool1d(capped[:, None], 4, 1)[:, 0]
        in_time = ((since >= _EARLY) & (since <= _LATE))[:, 3:]
        heard = losses.missed(pooled, in_time)
        after = (since >= 2) & (since <= 14)
        held = losses.mean_of(functional.softplus(-capped), after)
        far = (ends[None] < start + _BEGUN * (end - start)) | (since > _LONG_AFTER)
        return heard + 0.5 * held, losses.woken(logits, far)

    def _scan(self, net: Net | QuantisedNet) -> None:
        """Hear all streams; each second counts by how near it came to waking."""
        found, at = np.full(len(self._seconds), -9.0), 0
        for stream in self._streams:
            logits = stream_logits(net, stream.rows)
            places = at + self._receptive - 1 + np.arange(len(logits)) * self._stride
            seconds = np.minimum(places // _SECOND, len(found) - 1)
            np.maximum.at(found, seconds, logits)
            at += len(stream.rows)
        weights = _EASY + 1 / (1 + np.exp(-np.clip(found + 1.0, -12, 6)))
        self._seconds = weights / weights.sum()

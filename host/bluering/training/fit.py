"""The stages "train" and "quantise": from tracks and streams to weights.

Each step sees words, look-alikes and hours of real sound, the harder the more often: every so
often the network hears all of it and what scores high is drawn more.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.models.streaming_writer import FEATURES
from bluering.training.lessons import Lesson, Lessons, apart, joined
from bluering.training.negatives import Stream
from bluering.training.net import Net, score
from bluering.training.quantised import QuantisedNet
from bluering.training.recipe import Recipe
from bluering.training.teacher import SURE, Teacher
from bluering.training.tracks import FRAMES, Tracks
from bluering.training.warp import Warp, warped

_WORDS, _TRACKS, _CROPS = 36, 28, 36  # in a batch
_EARLY, _LATE = -8, 26  # rows from the word's end within which it must be heard
_SECOND = 100  # rows
_SCAN_EVERY, _FIRST_SCAN = 600, 600
_CHOOSE_EVERY = 250
_CHUNK = 30_000  # rows of a stream at a time
_SAVE_EVERY = 500
_NOISY, _SELDOM = 5.0, 0.3  # words in louder noise, dB, come that much less often
_MIXED = 0.35  # the share of words with other sound behind them
_TAUGHT = 0.12  # the weight of what the teacher says
ACCEPTS_PER_HOUR = (0.25, 0.5, 1.0, 2.0)  # misses at these choose the weights


@dataclass(frozen=True)
class Material:
    """What is learned from and, held out, chosen by."""

    words: Tracks
    others: Tracks
    streams: list[Stream]
    held_out_words: Tracks
    held_out_streams: list[Stream]
    teacher: Teacher


@dataclass
class Choice:
    """Weights worth keeping: their mean miss rate at ACCEPTS_PER_HOUR, 0..1."""

    misses: float
    net: QuantisedNet

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"misses": self.misses, "net": self.net.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What state_dict gave."""
        self.misses = state["misses"]
        self.net.load_state_dict(state["net"])


Told = Callable[[int, int, str], None]


def train(recipe: Recipe, material: Material, checkpoint: Path, told: Told) -> Net:
    """A float network, from the checkpoint on where there is one. told: step, of all, a line."""
    torch.manual_seed(recipe.seed)
    net = Net(recipe.network)
    steps = recipe.training.steps
    loop = _Loop(recipe, material, net)
    optimiser = torch.optim.AdamW(
        net.parameters(), recipe.training.learning_rate, weight_decay=2e-2
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.training.learning_rate, total_steps=steps, pct_start=0.15
    )
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        line = loop.step(net, optimiser)
        schedule.step()
        told(step + 1, steps, line)
        saved.save(step + 1)
    return net.eval()


def quantise(
    recipe: Recipe, material: Material, trained: Net, checkpoint: Path, told: Told
) -> QuantisedNet:
    """The network fine-tuned with int8 in the loop, at the weights that miss least."""
    torch.manual_seed(recipe.seed + 1)
    net = QuantisedNet(trained)
    steps = recipe.training.quantised_steps
    peak = recipe.training.learning_rate / 15
    optimiser = torch.optim.AdamW(net.parameters(), peak, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, peak / 30)
    loop = _Loop(recipe, material, net)
    best = Choice(1.0, copy.deepcopy(net))
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule, "best": best}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        net.watching = step < steps // 2
        line = loop.step(net, optimiser)
        schedule.step()
        last = step + 1 == steps
        if step >= steps // 2 and (step % _CHOOSE_EVERY == 0 or last):
            found = misses(net, material, recipe.window)
            if found <= best.misses:
                best.misses = found
                best.net.load_state_dict(net.state_dict())
            line += f", misses {100 * found:.1f} %"
        told(step + 1, steps, line)
        saved.save(step + 1)
    return best.net.eval()


def misses(net: Net | QuantisedNet, material: Material, window: int) -> float:
    """The mean miss rate of held-out words where held-out streams give ACCEPTS_PER_HOUR."""
    found = track_scores(net, material.held_out_words, window)
    heard = [stream_scores(net, stream, window) for stream in material.held_out_streams]
    hours = sum(len(stream.rows) for stream in material.held_out_streams) / _SECOND / 3600
    woken = np.sort(np.concatenate([peaks(scores) for scores in heard] or [np.zeros(1)]))[::-1]
    rates = []
    for per_hour in ACCEPTS_PER_HOUR:
        allowed = int(per_hour * hours)
        cutoff = woken[allowed] if allowed < len(woken) else 0.0
        rates.append(float((found <= cutoff).mean()))
    return float(np.mean(rates))


@torch.no_grad()
def track_scores(net: Net | QuantisedNet, tracks: Tracks, window: int) -> NDArray[np.float64]:
    """The highest sliding mean of the score in each track, 0..1."""
    net.eval()
    best = []
    for at in range(0, len(tracks), 256):
        rows = torch.from_numpy(tracks.features[at : at + 256]).float()
        best.append(_sliding(score(net(rows)), window).amax(1))
    return torch.cat(best).double().numpy()


@torch.no_grad()
def stream_scores(net: Net | QuantisedNet, stream: Stream, window: int) -> NDArray[np.float32]:
    """The sliding mean after each step of a stream, 0..1."""
    logits = torch.from_numpy(_stream_logits(net, stream.rows))
    return _sliding(score(logits)[None], window)[0].numpy()


def _sliding(probabilities: Tensor, window: int) -> Tensor:
    return functional.avg_pool1d(probabilities[:, None], window, 1)[:, 0]


def peaks(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest score of each wake, were the cutoff below it: none within a second of a higher
    one."""
    step = 33
    padded = np.pad(scores, (0, -len(scores) % step)).reshape(-1, step).max(1)
    inner = np.pad(padded, 1)
    top = (padded >= inner[:-2]) & (padded > inner[2:])
    return padded[top]


@torch.no_grad()
def _stream_logits(net: Net | QuantisedNet, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    net.eval()
    chunk = _CHUNK // net.stride * net.stride
    overlap = net.receptive - net.stride
    found = []
    for at in range(0, len(rows) - net.receptive, chunk):
        part = torch.from_numpy(rows[at : at + chunk + overlap]).float()
        if len(part) >= net.receptive:
            found.append(net(part[None])[0].numpy())
    return np.concatenate(found) if found else np.zeros(1, np.float32)


class _Saved:
    """A checkpoint: an interrupted stage goes on as if it had not been."""

    def __init__(self, path: Path, loop: "_Loop", parts: dict[str, Any]) -> None:
        self._path = path
        self._parts = {**parts, "loop": loop}

    def load(self) -> int:
        """Put everything back; the number of steps that are done."""
        if not self._path.exists():
            return 0
        state = torch.load(self._path, weights_only=False)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["torch"])
        return state["steps"]

    def save(self, steps: int) -> None:
        """Every so often."""
        if steps % _SAVE_EVERY:
            return
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"torch": torch.get_rng_state(), "steps": steps}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(".part")
        torch.save(state, aside)
        aside.replace(self._path)


class _Loop:
    """Draws batches, computes the loss, remembers what was hard."""

    def __init__(self, recipe: Recipe, material: Material, net: Net | QuantisedNet) -> None:
        torch.set_num_threads(recipe.training.threads)
        self._dice = np.random.default_rng(recipe.seed)
        self._weight = recipe.training.negative_weight
        self._words, self._others = material.words, material.others
        self._hardness = np.ones(len(self._others))
        likely = np.where(material.words.snr < _NOISY, _SELDOM, 1.0)
        self._likely = likely / likely.sum()
        nothing = np.zeros((0, FEATURES), np.uint8)
        self._rows = np.concatenate([nothing, *(stream.rows for stream in material.streams)])
        self._streams = material.streams
        tracks = [material.words, material.others]
        self._lessons = Lessons(material.teacher, tracks, material.streams)
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
        if self._count >= _FIRST_SCAN and self._count % _SCAN_EVERY == 0:
            self._scan(net)
        self._count += 1
        net.train()
        words = self._dice.choice(len(self._words), _WORDS, p=self._likely)
        crops, lesson = self._crops()
        share = self._hardness / self._hardness.sum()
        others = self._dice.choice(len(self._others), _TRACKS, p=share)
        spoken = self._mixed(self._words.features[words], crops)
        rows = np.concatenate([spoken, self._others.features[others], crops])
        phase = int(self._dice.integers(self._stride))
        rows, warp = warped(rows, self._dice)
        logits = net(self._masked(rows[:, phase:]))
        ends = torch.arange(logits.shape[1]) * self._stride + self._receptive - 1 + phase
        heard, quiet = self._word_loss(logits[:_WORDS], words, warp, ends)
        wrong, peaks = _negative_loss(logits[_WORDS:])
        lesson = joined(
            [self._lessons.of_tracks(0, words), self._lessons.of_tracks(1, others), lesson]
        )
        taught = apart(lesson.moved(warp), logits, ends)
        loss = heard + self._weight * (wrong + 0.5 * quiet) + _TAUGHT * taught
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        hard = 0.15 + 6 * peaks[:_TRACKS].numpy()
        self._hardness[others] = np.clip(0.6 * self._hardness[others] + 0.4 * hard, 0.15, 4)
        self._mean = [*self._mean[-99:], (heard.item(), wrong.item(), taught.item())]
        means = np.mean(self._mean, axis=0)
        return f"words {means[0]:.3f}, others {means[1]:.4f}, teacher {means[2]:.3f}"

    def _crops(self) -> tuple[NDArray[np.uint8], Lesson]:
        """Of the streams; where there are none, more of the tracks."""
        if len(self._rows) < FRAMES:
            chosen = self._dice.integers(len(self._others), size=_CROPS)
            return self._others.features[chosen], self._lessons.of_tracks(1, chosen)
        seconds = self._dice.choice(len(self._seconds), _CROPS, p=self._seconds)
        # The second that was drawn lies somewhere in the rows that give outputs.
        room = FRAMES - self._receptive - _SECOND
        starts = seconds * _SECOND - self._receptive - self._dice.integers(0, room, _CROPS)
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
        best = pooled.masked_fill(~in_time, -1e4).amax(1)
        known = in_time.any(1)
        heard = (functional.softplus(-best) * known).sum() / known.sum().clamp(min=1)
        after = (since >= 2) & (since <= 14)
        held = (functional.softplus(-capped) * after).sum() / after.sum().clamp(min=1)
        far = (ends[None] < start + 0.35 * (end - start)) | (since > 75)
        quiet = (functional.softplus(logits) * far).sum() / far.sum().clamp(min=1)
        return heard + 0.5 * held, quiet

    def _scan(self, net: Net | QuantisedNet) -> None:
        """Hear all streams; each second counts by how near it came to waking."""
        found, at = np.full(len(self._seconds), -9.0), 0
        for stream in self._streams:
            logits = _stream_logits(net, stream.rows)
            places = at + self._receptive - 1 + np.arange(len(logits)) * self._stride
            seconds = np.minimum(places // _SECOND, len(found) - 1)
            np.maximum.at(found, seconds, logits)
            at += len(stream.rows)
        weights = 0.02 + 1 / (1 + np.exp(-np.clip(found + 1.0, -12, 6)))
        self._seconds = weights / weights.sum()


def _negative_loss(logits: Tensor) -> tuple[Tensor, Tensor]:
    """All outputs low, the highest above all."""
    cost = functional.softplus(logits)
    hardest = cost.topk(6, dim=1).values.mean(1)
    return cost.mean() + hardest.mean(), hardest.detach()

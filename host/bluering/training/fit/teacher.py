"""The teacher: a large network over embeddings, which tells the small one how sure to be.

What it learns from is the same; what it hears through was learned from more recordings than any
corpus here has. So it is right more often, above all on real sound, and its doubts are worth more
than yes and no (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015).
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bluering.training.augment import embeddings
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import MOMENTS, RUN_IN, Tracks
from bluering.training.fit import averaging, losses
from bluering.training.fit.net import InTime

SURE = 6.0  # logits beyond are neither rewarded nor asked for

_WIDTH = 96
_TAPS = (3, 3, 3, 3)
CONTEXT = sum(taps - 1 for taps in _TAPS) + 1  # embeddings that one output depends on
_WORDS, _OTHERS, _CROPS = 96, 96, 128
_EARLY, _LATE = -6, 22  # rows from the word's end within which it must be heard
_HARDEST = 3  # outputs of a track without the word
_RATE = 2e-3
_SCAN_EVERY = 400

Told = Callable[[int, int, str], None]


class Teacher(nn.Module):
    """Embeddings (n, moments, 96) to logits (n, moments - CONTEXT + 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(embeddings.SIZE, affine=False)
        layers: list[nn.Module] = []
        width = embeddings.SIZE
        for taps in _TAPS:
            layers += [InTime(width, _WIDTH, taps), nn.BatchNorm2d(_WIDTH), nn.ReLU()]
            layers += [nn.Dropout(0.2)]
            width = _WIDTH
        self.layers = nn.Sequential(*layers)
        self.head = InTime(width, 1, 1)

    def forward(self, embedded: Tensor) -> Tensor:
        x = self.norm(embedded.transpose(1, 2)[:, :, None])
        return self.head(self.layers(x))[:, 0, 0]


def train_teacher(
    words: Tracks,
    others: Tracks,
    streams: list[Stream],
    seed: int,
    steps: int,
    told: Told,
    threads: int = 1,
) -> Teacher:
    """Learned from tracks and real recordings; the mean of its weights on the way. told: step, of
    all, a line."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    dice = np.random.default_rng(seed)
    net = Teacher()
    optimiser = torch.optim.AdamW(net.parameters(), _RATE, weight_decay=1e-2)
    schedule = averaging.steady(optimiser, _RATE, steps, warm_up=0.3)
    averaged = averaging.begun(net)
    heard = np.concatenate([np.zeros((MOMENTS, embeddings.SIZE)), *(s.embedded for s in streams)])
    heard = heard.astype(np.float16)
    share = np.ones(len(heard))
    hard = np.ones(len(others))
    mean: list[tuple[float, float]] = []
    for step in range(steps):
        if step and step % _SCAN_EVERY == 0:
            share = _hardness(net, heard)
            hard = 0.1 + 1 / (1 + np.exp(-_peaks(net, others.embedded)))
        chosen = dice.integers(len(words), size=_WORDS)
        confusing = dice.choice(len(others), _OTHERS, p=hard / hard.sum())
        starts = dice.choice(len(heard), _CROPS, p=share / share.sum())
        starts = np.clip(starts - dice.integers(CONTEXT, MOMENTS, _CROPS), 0, len(heard) - MOMENTS)
        crops = heard[starts[:, None] + np.arange(MOMENTS)]
        batch = np.concatenate([words.embedded[chosen], others.embedded[confusing], crops])
        net.train()
        logits = net(torch.from_numpy(batch).float())
        right, quiet = _word_loss(logits[:_WORDS], words.start[chosen], words.end[chosen])
        wrong, _ = losses.negative(logits[_WORDS:], _HARDEST)
        loss = right + 1.5 * (wrong + 0.5 * quiet)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        averaging.take(averaged, net, step, steps)
        mean = [*mean[-99:], (right.item(), wrong.item())]
        means = np.mean(mean, axis=0)
        told(step + 1, steps, f"words {means[0]:.3f}, others {means[1]:.4f}")
    return cast(Teacher, averaged.module).eval()


def rows_of_moments() -> NDArray[np.int64]:
    """The row of a track with which each of the teacher's outputs ends."""
    first = embeddings.FIRST + (CONTEXT - 1) * embeddings.EVERY - RUN_IN
    return first + embeddings.EVERY * np.arange(MOMENTS - CONTEXT + 1)


def _word_loss(logits: Tensor, starts: NDArray[Any], ends: NDArray[Any]) -> tuple[Tensor, Tensor]:
    start = torch.from_numpy(starts.astype(np.float32))[:, None]
    end = torch.from_numpy(ends.astype(np.float32))[:, None]
    rows = torch.from_numpy(rows_of_moments()).float()[None]
    in_time = (rows - end >= _EARLY) & (rows - end <= _LATE)
    far = (rows < start + 0.35 * (end - start)) | (rows - end > 85)
    return losses.missed(logits.clamp(max=SURE), in_time), losses.woken(logits, far)


@torch.no_grad()
def teach(net: Teacher, embedded: embeddings.Embeddings) -> NDArray[np.float32]:
    """Logits for one long hearing, (moments - CONTEXT + 1,)."""
    net.eval()
    found = []
    for at in range(0, max(0, len(embedded) - CONTEXT + 1), 4096):
        part = torch.from_numpy(embedded[at : at + 4096 + CONTEXT - 1]).float()
        found.append(net(part[None])[0].numpy())
    return np.concatenate(found) if found else np.zeros(0, np.float32)


@torch.no_grad()
def _peaks(net: Teacher, embedded: embeddings.Embeddings) -> NDArray[np.float32]:
    net.eval()
    parts = (
        torch.from_numpy(embedded[at : at + 512]).float() for at in range(0, len(embedded), 512)
    )
    return np.concatenate([net(part).amax(1).numpy() for part in parts])


def _hardness(net: Teacher, heard: embeddings.Embeddings) -> NDArray[np.float64]:
    logits = teach(net, heard)
    logits = np.concatenate([np.full(CONTEXT - 1, -9.0), logits])
    return 0.02 + 1 / (1 + np.exp(-np.clip(logits + 1.0, -12, 6)))

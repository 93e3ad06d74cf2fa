"""The teacher: a large network over embeddings, whose logits are soft targets of the small one.

It trains on the same sound, but its embeddings come from more recordings than any corpus here has.
So it is right more often, above all on real sound, and its logits say more than hard labels (Hinton
et al., "Distilling the Knowledge in a Neural Network", 2015).
"""

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
from bluering.training.workers import StepProgress

SURE = 6.0  # logits beyond this are neither rewarded nor used as targets

_WIDTH = 96
_TAPS = (3, 3, 3, 3)
CONTEXT = sum(taps - 1 for taps in _TAPS) + 1  # receptive field, in embeddings
_WORDS, _OTHERS, _CROPS = 96, 96, 128
_EARLY, _LATE = -6, 22  # rows from the word's end within which an output must be high
_HARDEST = 3  # highest outputs of a track without the word, which count most
_RATE = 2e-3
_SCAN_EVERY = 400


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
    progress: StepProgress,
    threads: int = 1,
) -> Teacher:
    """A teacher with averaged weights, trained on tracks with the word and without, and streams."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    rng = np.random.default_rng(seed)
    net = Teacher()
    optimiser = torch.optim.AdamW(net.parameters(), _RATE, weight_decay=1e-2)
    schedule = averaging.one_cycle(optimiser, _RATE, steps, warm_up=0.3)
    averaged = averaging.new_mean(net)
    embedded = np.concatenate(
        [np.zeros((MOMENTS, embeddings.SIZE)), *(s.embedded for s in streams)]
    )
    embedded = embedded.astype(np.float16)
    share = np.ones(len(embedded))
    hard = np.ones(len(others))
    mean: list[tuple[float, float]] = []
    for step in range(steps):
        if step and step % _SCAN_EVERY == 0:
            share = _hardness(net, embedded)
            hard = 0.1 + 1 / (1 + np.exp(-_peaks(net, others.embedded)))
        chosen = rng.integers(len(words), size=_WORDS)
        confusing = rng.choice(len(others), _OTHERS, p=hard / hard.sum())
        starts = rng.choice(len(embedded), _CROPS, p=share / share.sum())
        starts = np.clip(
            starts - rng.integers(CONTEXT, MOMENTS, _CROPS), 0, len(embedded) - MOMENTS
        )
        crops = embedded[starts[:, None] + np.arange(MOMENTS)]
        batch = np.concatenate([words.embedded[chosen], others.embedded[confusing], crops])
        net.train()
        logits = net(torch.from_numpy(batch).float())
        missed, false_wakes = _word_loss(logits[:_WORDS], words.start[chosen], words.end[chosen])
        negative, _ = losses.negative(logits[_WORDS:], _HARDEST)
        loss = missed + 1.5 * (negative + 0.5 * false_wakes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        averaging.update(averaged, net, step, steps)
        mean = [*mean[-99:], (missed.item(), negative.item())]
        means = np.mean(mean, axis=0)
        progress(step + 1, steps, f"words {means[0]:.3f}, others {means[1]:.4f}")
    return cast(Teacher, averaged.module).eval()


def rows_of_moments() -> NDArray[np.int64]:
    """The last row of the track that each of the teacher's outputs depends on."""
    first = embeddings.FIRST + (CONTEXT - 1) * embeddings.EVERY - RUN_IN
    return first + embeddings.EVERY * np.arange(MOMENTS - CONTEXT + 1)


def _word_loss(logits: Tensor, starts: NDArray[Any], ends: NDArray[Any]) -> tuple[Tensor, Tensor]:
    start = torch.from_numpy(starts.astype(np.float32))[:, None]
    end = torch.from_numpy(ends.astype(np.float32))[:, None]
    rows = torch.from_numpy(rows_of_moments()).float()[None]
    in_time = (rows - end >= _EARLY) & (rows - end <= _LATE)
    far = (rows < start + 0.35 * (end - start)) | (rows - end > 85)
    return losses.missed(logits.clamp(max=SURE), in_time), losses.false_wakes(logits, far)


@torch.no_grad()
def teach(net: Teacher, embedded: embeddings.Embeddings) -> NDArray[np.float32]:
    """Logits (moments - CONTEXT + 1,) for a stream's embeddings (moments, SIZE)."""
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


def _hardness(net: Teacher, embedded: embeddings.Embeddings) -> NDArray[np.float64]:
    logits = teach(net, embedded)
    logits = np.concatenate([np.full(CONTEXT - 1, -9.0), logits])
    return 0.02 + 1 / (1 + np.exp(-np.clip(logits + 1.0, -12, 6)))

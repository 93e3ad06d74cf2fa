"""A network's scores of tracks and of streams, and how often it would wake."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.training.augment.tracks import Tracks
from bluering.training.fit.net import Net, score
from bluering.training.fit.quantised import QuantisedNet

_CHUNK = 30_000  # rows of a stream at a time


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
def stream_scores(
    net: Net | QuantisedNet, rows: NDArray[np.uint8], window: int
) -> NDArray[np.float32]:
    """The sliding mean after each step of a stream's rows, 0..1."""
    logits = torch.from_numpy(stream_logits(net, rows))
    return _sliding(score(logits)[None], window)[0].numpy()


def phases(rows: NDArray[np.uint8], stride: int) -> list[NDArray[np.uint8]]:
    """A stream in each phase of a network's steps. A device may start in any of them, and what
    wakes it in one phase may not do so in the next."""
    return [rows[first:] for first in range(stride)]


def _sliding(probabilities: Tensor, window: int) -> Tensor:
    return functional.avg_pool1d(probabilities[:, None], window, 1)[:, 0]


def peaks(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest score of each wake if the cutoff were below it: local maxima, at least about a
    second apart."""
    step = 33
    padded = np.pad(scores, (0, -len(scores) % step)).reshape(-1, step).max(1)
    inner = np.pad(padded, 1)
    top = (padded >= inner[:-2]) & (padded > inner[2:])
    return padded[top]


def miss_rates(
    reached: NDArray[np.floating],
    woken: NDArray[np.floating],
    hours: float,
    per_hour: Iterable[float],
) -> list[float]:
    """The miss rate, 0..1, at the lowest cutoff that keeps to each number of false accepts per
    hour.

    reached: the highest score of each word; woken: the scores of false wakes in so many hours, as
    `peaks` gives them.
    """
    worst = np.sort(woken)[::-1]
    allowed = [int(rate * hours) for rate in per_hour]
    cutoffs = [worst[count] if count < len(worst) else 0.0 for count in allowed]
    return [float((reached <= cutoff).mean()) for cutoff in cutoffs]


@torch.no_grad()
def stream_logits(net: Net | QuantisedNet, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The logits of a stream's steps, (steps,)."""
    net.eval()
    chunk = _CHUNK // net.stride * net.stride
    overlap = net.receptive - net.stride
    found = []
    for at in range(0, len(rows) - net.receptive, chunk):
        part = torch.from_numpy(rows[at : at + chunk + overlap]).float()
        if len(part) >= net.receptive:
            found.append(net(part[None])[0].numpy())
    return np.concatenate(found) if found else np.zeros(1, np.float32)

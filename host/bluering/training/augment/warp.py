"""Augmentation of features in each training step: other rhythms, vocal tracts and microphones.

Each time a track is used it is warped anew: stretched in time, its bands shifted, its spectrum
tilted. Otherwise a network memorises a few thousand tracks instead of the word.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.training.augment.tracks import FRAMES

_ANCHOR = 300  # the row that stays in place
_TIME = 0.06  # standard deviations: of the logarithm of the stretch,
_BANDS = 0.03  # of the logarithm of the factor between bands,
_SHIFT = 0.35  # of their shift, in bands,
_TILT, _GAIN = 5.0, 3.0  # and of gains, in the features' unit: 6 dB are 17
_KNOTS = 5
_LONGEST = 1.2
_FULL = 64.0  # features below this get less gain, so that silence stays silent


@dataclass(frozen=True)
class Warp:
    """The factor by which each track is stretched in time, (n,)."""

    stretch: NDArray[np.float64]

    def place(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Where rows of the tracks, (n,) or (n, rows), end up."""
        stretch = self.stretch if rows.ndim == 1 else self.stretch[:, None]
        return _ANCHOR + (rows - _ANCHOR) * stretch


def warped(rows: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Tensor, Warp]:
    """Tracks (n, FRAMES, bands), each warped at random, and where their rows have ended up."""
    count, _, bands = rows.shape
    stretch = np.exp(np.clip(rng.normal(0, _TIME, count), -np.log(_LONGEST), np.log(_LONGEST)))
    time = _ANCHOR + (np.arange(FRAMES) - _ANCHOR) / stretch[:, None]
    factor = np.exp(rng.normal(0, _BANDS, count))[:, None]
    band = np.arange(bands) * factor + rng.normal(0, _SHIFT, count)[:, None]
    x = _between_rows(torch.from_numpy(rows), time) @ _between_bands(band)
    knots = rng.normal(0, _TILT, (count, _KNOTS)) + rng.normal(0, _GAIN, (count, 1))
    gains = functional.interpolate(
        torch.from_numpy(knots.astype(np.float32))[:, None], bands, mode="linear"
    )
    x = x + gains * (x / _FULL).clamp(max=1)
    return x.clamp(0, 255), Warp(stretch)


def _between_rows(x: Tensor, places: NDArray[np.float64]) -> Tensor:
    """x (n, rows, bands), uint8, interpolated at places (n, rows) and extended at its ends."""
    first, share = _neighbours(places, x.shape[1])
    at = torch.from_numpy(first + np.arange(len(x))[:, None] * x.shape[1]).flatten()
    flat, after = x.flatten(0, 1), torch.from_numpy(share)[..., None]
    lower, upper = (flat.index_select(0, at + i).reshape(x.shape).float() for i in (0, 1))
    return torch.lerp(lower, upper, after)


def _between_bands(places: NDArray[np.float64]) -> Tensor:
    """Matrices (n, bands, bands) that interpolate rows of features at places (n, bands)."""
    count, bands = places.shape
    first, share = _neighbours(places, bands)
    mixed = np.zeros((count, bands, bands), np.float32)
    track, band = np.indices(places.shape)
    mixed[track, first, band] = 1 - share
    mixed[track, first + 1, band] = share
    return torch.from_numpy(mixed)


def _neighbours(places: NDArray[np.float64], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each place, the lower of the two indices around it and the weight of the upper one."""
    inside = np.clip(places, 0, count - 1)
    first = np.minimum(inside.astype(np.int64), count - 2)
    return first, (inside - first).astype(np.float32)

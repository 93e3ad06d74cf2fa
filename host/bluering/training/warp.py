"""Other rhythms, vocal tracts and microphones for features that are there already.

Each time that a track is learned from it is another one: stretched in time, its bands moved, its
spectrum tilted. A network remembers a few thousand tracks otherwise, instead of the word.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.training.tracks import FRAMES

_ANCHOR = 300  # the row that stays where it is
_TIME = 0.06  # standard deviations: of the logarithm of the stretch,
_BANDS = 0.03  # of the logarithm of the factor between bands,
_SHIFT = 0.35  # of their shift, in bands,
_TILT, _GAIN = 5.0, 3.0  # and of gains, in the features' unit: 6 dB are 17
_KNOTS = 5
_LONGEST = 1.2
_FULL = 64.0  # features below get less of a gain: silence stays silent


@dataclass(frozen=True)
class Warp:
    """How long a row of each track becomes, (n,)."""

    stretch: NDArray[np.float64]

    def place(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Where rows of the tracks, (n,) or (n, rows), are afterwards."""
        stretch = self.stretch if rows.ndim == 1 else self.stretch[:, None]
        return _ANCHOR + (rows - _ANCHOR) * stretch


def warped(rows: NDArray[np.uint8], dice: np.random.Generator) -> tuple[Tensor, Warp]:
    """Tracks (n, FRAMES, bands) as floats, each otherwise, and where their rows have gone."""
    count, _, bands = rows.shape
    stretch = np.exp(np.clip(dice.normal(0, _TIME, count), -np.log(_LONGEST), np.log(_LONGEST)))
    time = (_ANCHOR + (np.arange(FRAMES) - _ANCHOR) / stretch[:, None]) * 2 / (FRAMES - 1) - 1
    factor = np.exp(dice.normal(0, _BANDS, count))[:, None]
    band = np.arange(bands) * factor + dice.normal(0, _SHIFT, count)[:, None]
    band = band * 2 / (bands - 1) - 1
    grid = torch.empty(count, FRAMES, bands, 2)
    grid[..., 0] = torch.from_numpy(band.astype(np.float32))[:, None]
    grid[..., 1] = torch.from_numpy(time.astype(np.float32))[:, :, None]
    given = torch.from_numpy(rows).float()[:, None]
    x = functional.grid_sample(given, grid, padding_mode="border", align_corners=True)[:, 0]
    knots = dice.normal(0, _TILT, (count, _KNOTS)) + dice.normal(0, _GAIN, (count, 1))
    gains = functional.interpolate(
        torch.from_numpy(knots.astype(np.float32))[:, None], bands, mode="linear"
    )
    x = x + gains * (x / _FULL).clamp(max=1)
    return x.clamp(0, 255), Warp(stretch)

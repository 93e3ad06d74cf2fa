"""What the teacher says about what the network hears, at the same moments."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.training import embeddings
from bluering.training.negatives import Stream
from bluering.training.teacher import CONTEXT, SURE, Teacher, rows_of_moments, teach
from bluering.training.tracks import FRAMES, Tracks
from bluering.training.warp import Warp

_DELAY = 2  # rows that the network may be later than the teacher
_SURELY_NONE = 0.05  # the weight of a moment of which both are sure that it is none, beside 1
_TOGETHER = 30  # moments of a track that are learned from


@dataclass(frozen=True)
class Lesson:
    """Of a batch: rows (n, moments) of the tracks, FRAMES and beyond where there is nothing to
    learn; the teacher's logits (n, moments); where those only raise what the network says."""

    rows: NDArray[np.int64]
    logits: NDArray[np.float32]
    raising: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: NDArray[np.int64], logits: NDArray[np.float32]) -> "Lesson":
        """One whose logits raise and lower."""
        return cls(rows, logits, np.zeros(rows.shape, np.bool_))

    def raised(self, first: NDArray[Any], last: NDArray[Any]) -> "Lesson":
        """What it says of the rows from first to last, (n,), may only raise. Of a word that noise
        covers the teacher says that it is none; that much is known better."""
        word = (self.rows >= first[:, None]) & (self.rows <= last[:, None])
        return replace(self, raising=self.raising | word)

    def moved(self, warp: Warp) -> "Lesson":
        """For tracks that were warped."""
        rows = np.rint(warp.place(self.rows)).astype(np.int64)
        known = (self.rows < FRAMES) & (rows < FRAMES)
        return replace(self, rows=np.where(known, rows, FRAMES))


class Lessons:
    """All that is learned from, heard by the teacher once."""

    def __init__(self, teacher: Teacher, tracks: list[Tracks], streams: list[Stream]) -> None:
        self._tracks = [teach_tracks(teacher, t) for t in tracks]
        self._track_rows = rows_of_moments()
        rows, logits, at = [np.zeros(0, np.int64)], [], 0
        for stream in streams:
            said = teach(teacher, stream.embedded)
            first = embeddings.FIRST + (CONTEXT - 1) * embeddings.EVERY
            rows.append(at + first + embeddings.EVERY * np.arange(len(said)))
            logits.append(said)
            at += len(stream.rows)
        self._rows = np.concatenate(rows)
        self._logits = np.concatenate([np.zeros(0, np.float32), *logits])

    def of_tracks(self, which: int, chosen: NDArray[np.int64]) -> Lesson:
        """Of some tracks of the list's entry `which`."""
        rows = np.broadcast_to(self._track_rows[-_TOGETHER:], (len(chosen), _TOGETHER))
        return Lesson.of(rows, self._tracks[which][chosen, -_TOGETHER:])

    def of_streams(self, starts: NDArray[np.int64]) -> Lesson:
        """Of FRAMES rows from each start on, in the rows of all streams joined."""
        last = np.searchsorted(self._rows, starts + FRAMES - 1, side="right")
        places = last[:, None] - np.arange(_TOGETHER, 0, -1)
        known = places >= 0
        places = np.maximum(places, 0)
        rows = np.where(known, self._rows[places] - starts[:, None], FRAMES)
        return Lesson.of(rows, self._logits[places])


def joined(lessons: list[Lesson]) -> Lesson:
    """One batch of several."""
    return Lesson(
        np.concatenate([lesson.rows for lesson in lessons]),
        np.concatenate([lesson.logits for lesson in lessons]),
        np.concatenate([lesson.raising for lesson in lessons]),
    )


def apart(lesson: Lesson, logits: Tensor, ends: Tensor) -> Tensor:
    """How far logits (n, steps) are from the teacher's; ends: the row with which each step ends."""
    stride = int(ends[1] - ends[0])
    steps = np.rint((lesson.rows + _DELAY - int(ends[0])) / stride).astype(np.int64)
    known = torch.from_numpy((steps >= 0) & (steps < len(ends)) & (lesson.rows < FRAMES))
    steps = torch.from_numpy(np.clip(steps, 0, len(ends) - 1))
    wanted = torch.from_numpy(lesson.logits).clamp(-SURE, SURE)
    given = logits.gather(1, steps).clamp(-SURE - 1, SURE + 1)
    raising = torch.from_numpy(lesson.raising)
    wanted = torch.where(raising, torch.maximum(wanted, given.detach()), wanted)
    cost = functional.smooth_l1_loss(given, wanted, reduction="none")
    # Hardly any moment is near a word, and of all others both say the same before long.
    unsure = torch.maximum(torch.sigmoid(wanted + 1), torch.sigmoid(given.detach() + 1))
    weight = known * (_SURELY_NONE + unsure)
    return (cost * weight).sum() / weight.sum()


@torch.no_grad()
def teach_tracks(teacher: Teacher, tracks: Tracks) -> NDArray[np.float32]:
    """Logits (n, moments) for the rows of rows_of_moments."""
    teacher.eval()
    parts = (tracks.embedded[at : at + 512] for at in range(0, len(tracks), 512))
    return np.concatenate([teacher(torch.from_numpy(part).float()).numpy() for part in parts])

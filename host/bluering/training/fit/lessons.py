"""What the teacher says about what the network hears, at the same moments."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bluering.training.augment import embeddings
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import FRAMES, Tracks
from bluering.training.augment.warp import Warp
from bluering.training.fit.teacher import CONTEXT, SURE, Teacher, rows_of_moments, teach

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


@dataclass(frozen=True)
class Lessons:
    """What the teacher says of all that is learned from. words, others: its logits (n, moments) for
    tracks; rows, logits: (moments,), of all streams joined."""

    words: NDArray[np.float32]
    others: NDArray[np.float32]
    rows: NDArray[np.int64]
    logits: NDArray[np.float32]

    @classmethod
    def by(
        cls, teacher: Teacher, words: Tracks, others: Tracks, streams: list[Stream]
    ) -> "Lessons":
        """The teacher hears everything once."""
        rows, logits, at = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)], 0
        for stream in streams:
            said = teach(teacher, stream.embedded)
            first = embeddings.FIRST + (CONTEXT - 1) * embeddings.EVERY
            rows.append(at + first + embeddings.EVERY * np.arange(len(said)))
            logits.append(said)
            at += len(stream.rows)
        of_tracks = teach_tracks(teacher, words), teach_tracks(teacher, others)
        return cls(*of_tracks, np.concatenate(rows), np.concatenate(logits))

    def of_words(self, chosen: NDArray[np.int64]) -> Lesson:
        """Of some tracks with the word."""
        return _of_tracks(self.words[chosen])

    def of_others(self, chosen: NDArray[np.int64]) -> Lesson:
        """Of some tracks without it."""
        return _of_tracks(self.others[chosen])

    def of_streams(self, starts: NDArray[np.int64]) -> Lesson:
        """Of FRAMES rows from each start on, in the rows of all streams joined."""
        last = np.searchsorted(self.rows, starts + FRAMES - 1, side="right")
        places = last[:, None] - np.arange(_TOGETHER, 0, -1)
        known = places >= 0
        places = np.maximum(places, 0)
        rows = np.where(known, self.rows[places] - starts[:, None], FRAMES)
        return Lesson.of(rows, self.logits[places])


def _of_tracks(logits: NDArray[np.float32]) -> Lesson:
    rows = np.broadcast_to(rows_of_moments()[-_TOGETHER:], (len(logits), _TOGETHER))
    return Lesson.of(rows, logits[:, -_TOGETHER:])


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
    nothing = np.zeros((0, len(rows_of_moments())), np.float32)
    said = (teacher(torch.from_numpy(part).float()).numpy() for part in parts)
    return np.concatenate([nothing, *said])

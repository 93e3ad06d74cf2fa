"""Lessons: the teacher's logits as targets of the network, aligned in time, and their loss."""

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

_DELAY = 2  # rows by which the network may lag behind the teacher
_SURELY_NONE = 0.05  # the least weight of a moment, where both are sure that it isn't the word
_TOGETHER = 30  # moments of a track that are used


@dataclass(frozen=True)
class Lesson:
    """Targets of a batch, (n, moments): rows of the tracks, FRAMES or beyond where there is no
    target; the teacher's logits; raising: where they may only raise the network's logits."""

    rows: NDArray[np.int64]
    logits: NDArray[np.float32]
    raising: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: NDArray[np.int64], logits: NDArray[np.float32]) -> "Lesson":
        """A lesson whose targets may raise and lower."""
        return cls(rows, logits, np.zeros(rows.shape, np.bool_))

    def raised(self, first: NDArray[Any], last: NDArray[Any]) -> "Lesson":
        """Let targets from rows `first` to `last`, (n,), only raise. The teacher gives a low score
        to a word covered by noise, but the label says that it is one."""
        word = (self.rows >= first[:, None]) & (self.rows <= last[:, None])
        return replace(self, raising=self.raising | word)

    def moved(self, warp: Warp) -> "Lesson":
        """The same for tracks that were warped."""
        rows = np.rint(warp.place(self.rows)).astype(np.int64)
        known = (self.rows < FRAMES) & (rows < FRAMES)
        return replace(self, rows=np.where(known, rows, FRAMES))


@dataclass(frozen=True)
class Lessons:
    """The teacher's logits for everything that is trained on. words, others: (n, moments) for
    tracks; rows, logits: (moments,), for all streams joined."""

    words: NDArray[np.float32]
    others: NDArray[np.float32]
    rows: NDArray[np.int64]
    logits: NDArray[np.float32]

    @classmethod
    def by(
        cls, teacher: Teacher, words: Tracks, others: Tracks, streams: list[Stream]
    ) -> "Lessons":
        """Run the teacher over everything once."""
        rows, logits, at = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)], 0
        for stream in streams:
            outputs = teach(teacher, stream.embedded)
            first = embeddings.FIRST + (CONTEXT - 1) * embeddings.EVERY
            rows.append(at + first + embeddings.EVERY * np.arange(len(outputs)))
            logits.append(outputs)
            at += len(stream.rows)
        of_tracks = teach_tracks(teacher, words), teach_tracks(teacher, others)
        return cls(*of_tracks, np.concatenate(rows), np.concatenate(logits))

    def of_words(self, chosen: NDArray[np.int64]) -> Lesson:
        """For some of the tracks with the word."""
        return _of_tracks(self.words[chosen])

    def of_others(self, chosen: NDArray[np.int64]) -> Lesson:
        """For some of the tracks without it."""
        return _of_tracks(self.others[chosen])

    def of_streams(self, starts: NDArray[np.int64]) -> Lesson:
        """For FRAMES rows from each start, in the rows of all streams joined."""
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
    """Concatenate the lessons of parts of a batch."""
    return Lesson(
        np.concatenate([lesson.rows for lesson in lessons]),
        np.concatenate([lesson.logits for lesson in lessons]),
        np.concatenate([lesson.raising for lesson in lessons]),
    )


def distillation_loss(lesson: Lesson, logits: Tensor, ends: Tensor) -> Tensor:
    """The distance of logits (n, steps) from the teacher's. ends: the last row of each step."""
    stride = int(ends[1] - ends[0])
    steps = np.rint((lesson.rows + _DELAY - int(ends[0])) / stride).astype(np.int64)
    known = torch.from_numpy((steps >= 0) & (steps < len(ends)) & (lesson.rows < FRAMES))
    steps = torch.from_numpy(np.clip(steps, 0, len(ends) - 1))
    target = torch.from_numpy(lesson.logits).clamp(-SURE, SURE)
    output = logits.gather(1, steps).clamp(-SURE - 1, SURE + 1)
    raising = torch.from_numpy(lesson.raising)
    target = torch.where(raising, torch.maximum(target, output.detach()), target)
    cost = functional.smooth_l1_loss(output, target, reduction="none")
    # Hardly any moment is near a word, and on all others both soon agree.
    unsure = torch.maximum(torch.sigmoid(target + 1), torch.sigmoid(output.detach() + 1))
    weight = known * (_SURELY_NONE + unsure)
    return (cost * weight).sum() / weight.sum()


@torch.no_grad()
def teach_tracks(teacher: Teacher, tracks: Tracks) -> NDArray[np.float32]:
    """Logits (n, moments) of tracks, for the rows that rows_of_moments gives."""
    teacher.eval()
    parts = (tracks.embedded[at : at + 512] for at in range(0, len(tracks), 512))
    nothing = np.zeros((0, len(rows_of_moments())), np.float32)
    outputs = (teacher(torch.from_numpy(part).float()).numpy() for part in parts)
    return np.concatenate([nothing, *outputs])

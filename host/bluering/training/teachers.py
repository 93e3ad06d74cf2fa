"""The stage "teach": teachers that differ by chance alone, and what they say together.

What fools a single one is not what fools the next; their mean is fooled less often, and a network
may learn it though it could never hold them all (Lakshminarayanan et al., "Simple and Scalable
Predictive Uncertainty Estimation using Deep Ensembles", 2017; Hinton et al., 2015).
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bluering.training.pipeline import load_tracks
from bluering.training.stages import digest, kept, read_streams
from bluering.training.teacher import Teacher, train_teacher

COUNT = 2
_TEACH = 3  # counted up when the code changes what it makes

Told = Callable[[int, int, str], None]


class Teachers(nn.Module):
    """Embeddings (n, moments, 96) to the mean of all logits, (n, moments - CONTEXT + 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList(Teacher() for _ in range(COUNT))

    def forward(self, embedded: Tensor) -> Tensor:
        return torch.stack([teacher(embedded) for teacher in self.each]).mean(0)


@dataclass(frozen=True)
class Course:
    """What all teachers learn from: files of tracks by kind and of hours; for how long."""

    tracks: dict[str, list[Path]]
    streams: list[Path]
    seed: int
    steps: int

    def key(self) -> str:
        """A hash of it."""
        tracks = {kind: [path.stem for path in paths] for kind, paths in self.tracks.items()}
        return digest(_TEACH, self.seed, self.steps, tracks, [path.stem for path in self.streams])


def taught(course: Course, folder: Path, jobs: int, told: Told) -> Teachers:
    """The teachers of a course, trained where they aren't yet. told: step, of all, a line."""
    key = course.key()
    alone = [folder / f"{key}-{number}.teacher.pt" for number in range(COUNT)]
    missing = [n for n in range(COUNT) if not alone[n].exists()]
    if jobs > 1:
        _train_at_once(course, missing, alone, jobs, told)
    else:
        _train_in_turn(course, missing, alone, told)
    teachers = Teachers()
    for teacher, path in zip(teachers.each, alone, strict=True):
        teacher.load_state_dict(torch.load(path))
    return teachers.eval()


def _train_at_once(
    course: Course, missing: list[int], alone: list[Path], jobs: int, told: Told
) -> None:
    """The first of them here, which says how far all are: each takes as long as the others."""
    if not missing:
        return
    here, *elsewhere = missing
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs - 1, context) as pool:
        others = [pool.submit(_train, course, n, alone[n]) for n in elsewhere]
        _train(course, here, alone[here], told)
        for other in others:
            other.result()


def _train_in_turn(course: Course, missing: list[int], alone: list[Path], told: Told) -> None:
    total = len(missing) * course.steps
    for turn, n in enumerate(missing):
        before = turn * course.steps
        _train(course, n, alone[n], _counted(told, before, total))


def _counted(told: Told, before: int, total: int) -> Told:
    return lambda step, _, line: told(before + step, total, line)


def _train(course: Course, number: int, path: Path, told: Told = lambda *_: None) -> None:
    def trained() -> Teacher:
        words, others, _ = load_tracks(course.tracks)
        streams = [stream for file in course.streams for stream in read_streams(file)]
        return train_teacher(words, others, streams, course.seed + number, course.steps, told)

    kept(path, trained, lambda net, aside: torch.save(net.state_dict(), aside))

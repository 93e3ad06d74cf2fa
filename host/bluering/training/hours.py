"""The stage "featurise": hours without the word, real and synthetic, as features."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path

import numpy as np

from bluering.training import sound
from bluering.training.chatter import chatter
from bluering.training.negatives import (
    Stream,
    altered_stream,
    corpus_key,
    learned_sounds,
    real_negatives,
    sounds,
    streams,
)
from bluering.training.recipe import Recipe
from bluering.training.speech import ENGINES, voice
from bluering.training.stages import Places, Told, digest, in_processes, kept, write_streams

_FEATURISE, _CHATTER = 2, 1  # counted up when the code changes what it makes
_ALTERED = 3  # more hearings of the recordings to learn from
_CHATTER_HOURS = 1.0  # in a file


def featurise(recipe: Recipe, places: Places, told: Told) -> tuple[list[Path], Path]:
    """The stage "featurise": files of hours without the word to learn from, real and synthetic,
    and the one to choose by; without a corpus there is nothing in it."""
    key = digest(_FEATURISE, corpus_key(places.corpus), recipe.seed)
    folder = places.cache / "streams"
    jobs: list[tuple[_Job, Path]] = [
        (_StreamJob(places.corpus, "learn", 0), folder / f"learn-{key}.npz"),
        (_StreamJob(places.corpus, "hold out", 0), folder / f"held-out-{key}.npz"),
    ]
    for number in range(1, _ALTERED + 1) if places.corpus.is_file() else ():
        job = _StreamJob(places.corpus, "alter", recipe.seed * 100 + number)
        jobs.append((job, folder / f"altered-{number}-{key}.npz"))
    jobs += [(job, folder / f"{job.name}-{job.key()}.npz") for job in _chatter_jobs(recipe, places)]
    missing = [(job, path) for job, path in jobs if not path.exists()]
    told("featurise", len(jobs) - len(missing), len(jobs), "files of hours")
    in_processes(
        _make_hours,
        missing,
        places.jobs,
        lambda n: told("featurise", len(jobs) - n, len(jobs), "files of hours"),
    )
    paths = [path for _, path in jobs]
    return [paths[0], *paths[2:]], paths[1]


@dataclass(frozen=True)
class _StreamJob:
    corpus: Path
    what: str
    seed: int


@dataclass(frozen=True)
class _ChatterJob:
    corpus: Path
    phrase: str
    seed: int
    number: int
    hours: float

    @property
    def name(self) -> str:
        return f"chatter-{self.number}"

    def key(self) -> str:
        versions = [version(package) for package in ENGINES["hibari"][1]]
        who = (self.phrase, self.seed, self.number, self.hours)
        return digest(_CHATTER, corpus_key(self.corpus), versions, *who)


_Job = _StreamJob | _ChatterJob


def _chatter_jobs(recipe: Recipe, places: Places) -> Iterator[_ChatterJob]:
    """An hour each, the last one perhaps shorter: more of them don't change the earlier ones."""
    for number in range(ceil(recipe.chatter / _CHATTER_HOURS)):
        hours = min(_CHATTER_HOURS, recipe.chatter - number * _CHATTER_HOURS)
        yield _ChatterJob(places.corpus, recipe.phrase, recipe.seed, number, hours)


def _make_hours(job: _Job, path: Path) -> None:
    if isinstance(job, _ChatterJob):
        kept(path, lambda: [_chatter_stream(job)], write_streams)
    else:
        _make_stream(job, path)


def _chatter_stream(job: _ChatterJob) -> Stream:
    dice = np.random.default_rng([job.seed, job.number, *job.phrase.encode()])
    _, noises = learned_sounds(job.corpus)
    rooms = sound.rooms(job.seed * 100)
    said = chatter(job.phrase, voice("hibari"), job.hours * 3600, rooms, noises, dice)
    return Stream.of(job.name, said)


def _make_stream(job: _StreamJob, path: Path) -> None:
    negatives = real_negatives(job.corpus)
    learned = [negative for negative in negatives if negative.learn]
    if job.what == "alter":
        rooms = sound.rooms(job.seed)
        kept(
            path,
            lambda: [altered_stream(sounds(learned), rooms, (job.seed,), path.stem)],
            write_streams,
        )
    else:
        chosen = learned if job.what == "learn" else [n for n in negatives if not n.learn]
        kept(path, lambda: streams(chosen), write_streams)

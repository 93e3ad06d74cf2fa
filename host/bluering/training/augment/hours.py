"""Files of hours without the word, real and synthetic, as features."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path

import numpy as np

from bluering.training.augment.negatives import (
    altered_stream,
    corpus_key,
    real_negatives,
    streams,
    train_half,
    train_half_by_kind,
)
from bluering.training.augment.rooms import impulse_responses
from bluering.training.augment.streams import Stream, write_streams
from bluering.training.augment.talk import chatter
from bluering.training.cache import digest, kept
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.speak.speech import versions, voice
from bluering.training.workers import File

_FEATURISE, _CHATTER = 5, 6  # counted up when the code changes what it makes
_CHATTER_HOURS = 1.0  # in a file
# Where a recipe band-limits words, the share of altered recordings and of chatter that is
# band-limited too: a narrow band alone must not sound like the word.
_NARROW = 0.25


def stream_files(recipe: Recipe, places: Places) -> tuple[list[Path], Path, list[File]]:
    """Files of hours without the word to train on, the file of those held out, and how all of them
    are made, the longest first. Without a corpus some are empty."""
    key = digest(_FEATURISE, corpus_key(places.corpus), recipe.seed)
    folder = places.cache / "streams"
    learn = _Real(places.corpus, "learn"), folder / f"learn-{key}.npz"
    held_out = _Real(places.corpus, "hold out"), folder / f"held-out-{key}.npz"
    narrow = _narrow(recipe)
    altered_key = digest(key, narrow)
    altered: list[tuple[_Job, Path]] = []
    for number in range(1, recipe.altered + 1) if places.corpus.is_file() else ():
        job = _Real(places.corpus, "alter", recipe.seed * 100 + number, narrow)
        altered.append((job, folder / f"altered-{number}-{altered_key}.npz"))
    chatters = _chatters(recipe, places)
    talk = [(job, folder / f"chatter-{job.number}-{job.key()}.npz") for job in chatters]
    files = [
        File("featurise", "files of hours", path, partial(_make, job, path))
        for job, path in (*altered, *talk, learn, held_out)
    ]
    return [path for _, path in (learn, *altered, *talk)], held_out[1], files


@dataclass(frozen=True)
class _Real:
    """Real recordings: the half to train on, the half held out, or the first half altered."""

    corpus: Path
    what: str
    seed: int = 0
    narrow: float = 0.0

    def streams(self) -> list[Stream]:
        if self.what != "alter":
            learn = self.what == "learn"
            return streams([n for n in real_negatives(self.corpus) if n.learn == learn])
        recordings = [x for _, x in train_half(self.corpus)]
        rooms, name = impulse_responses(self.seed), f"altered-{self.seed}"
        return [altered_stream(recordings, rooms, (self.seed,), name, self.narrow)]


@dataclass(frozen=True)
class _Chatter:
    """An hour or less of synthetic chatter."""

    corpus: Path
    phrase: str
    seed: int
    number: int
    hours: float
    narrow: float = 0.0

    def key(self) -> str:
        installed = list(versions("hibari").values())
        said = (self.phrase, self.seed, self.number, self.hours, self.narrow)
        return digest(_CHATTER, corpus_key(self.corpus), installed, *said)

    def streams(self) -> list[Stream]:
        rng = np.random.default_rng([self.seed, self.number, *self.phrase.encode()])
        noises = [x for kind in train_half_by_kind(self.corpus).values() for x in kind]
        rooms = impulse_responses(self.seed * 100)
        said = chatter(
            self.phrase, voice("hibari"), self.hours * 3600, rooms, noises, rng, self.narrow
        )
        return [Stream.of(f"chatter-{self.number}", said)]


_Job = _Real | _Chatter


def _narrow(recipe: Recipe) -> float:
    return _NARROW if recipe.narrow else 0.0


def _chatters(recipe: Recipe, places: Places) -> Iterator[_Chatter]:
    """An hour each, the last one perhaps less: more hours don't change the earlier ones."""
    for number in range(ceil(recipe.chatter / _CHATTER_HOURS)):
        hours = min(_CHATTER_HOURS, recipe.chatter - number * _CHATTER_HOURS)
        yield _Chatter(places.corpus, recipe.phrase, recipe.seed, number, hours, _narrow(recipe))


def _make(job: _Job, path: Path) -> None:
    kept(path, job.streams, write_streams)

"""From a recipe to weights: the stages in their order, each done once and found again."""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from math import ceil
from pathlib import Path

import numpy as np

from bluering.training import sound
from bluering.training.chatter import chatter
from bluering.training.negatives import (
    TALK,
    Negative,
    Stream,
    altered_stream,
    real_negatives,
    sounds,
    streams,
)
from bluering.training.recipe import Recipe
from bluering.training.recorded import recorded_clips, recordings
from bluering.training.script import KINDS as SPOKEN_KINDS
from bluering.training.script import Batch, batches
from bluering.training.sound import Sound
from bluering.training.speech import ENGINES, Clip, clips, synthesise, voice
from bluering.training.stages import (
    digest,
    kept,
    read_streams,
    read_tracks,
    write_streams,
    write_tracks,
)
from bluering.training.tracks import Sources, Tracks, make_tracks

# Counted up when the code of a stage changes what it makes.
_AUGMENT, _FEATURISE, _CHATTER = 2, 2, 1

_SHARD = 500  # tracks in a file

# What speech tracks of a kind are made of: words share those without any.
_MADE_OF = {
    "word": ("word", "sentence"),
    "look_alike": ("look_alike", "sentence"),
    "part": ("word", "sentence"),
    "sentence": ("sentence",),
    "noise": ("sentence",),
    "held_out": ("held_out", "sentence"),
}
_ROOMS = 160
_ALTERED = 3  # more hearings of the recordings to learn from
_CHATTER_HOURS = 1.0  # in a file

Told = Callable[[str, int, int, str], None]
"""stage, done, of all, a line for people"""


@dataclass(frozen=True)
class Places:
    """Where a run finds and keeps things."""

    cache: Path
    sentences: Path
    corpus: Path  # a manifest.csv, which may be absent
    jobs: int = 2


@dataclass(frozen=True)
class Spoken:
    """Files of clips by kind."""

    files: dict[str, list[Path]]

    def key(self, *kinds: str) -> str:
        return digest([[path.stem for path in self.files[kind]] for kind in kinds])


def speak(recipe: Recipe, places: Places, told: Told) -> Spoken:
    """The stage "synthesise"."""
    script = {kind: list(batches(recipe, kind, places.sentences)) for kind in SPOKEN_KINDS}
    every: list[Batch] = [batch for kind in SPOKEN_KINDS for batch in script[kind]]
    paths = iter(
        synthesise(
            every,
            places.cache / "speech",
            places.jobs,
            lambda done, total: told("synthesise", done, total, "batches of speech"),
        )
    )
    return Spoken({kind: [next(paths) for _ in script[kind]] for kind in SPOKEN_KINDS})


@dataclass(frozen=True)
class Shard:
    """Some tracks of a kind, and what they are made of."""

    kind: str
    count: int
    seed: tuple[int, ...]
    word: tuple[Path, ...]
    look_alike: tuple[Path, ...]
    sentence: tuple[Path, ...]
    recorded: tuple[Path, ...]
    phrase: str
    corpus: Path
    rooms_seed: int


def augment(recipe: Recipe, spoken: Spoken, places: Places, told: Told) -> dict[str, list[Path]]:
    """The stage "augment": files of tracks by kind, those held out under "held_out"."""
    corpus_key = _corpus_key(places.corpus)
    own = recordings(recipe.recordings)
    own_key = {"own": [hashlib.sha256(path.read_bytes()).hexdigest() for path in own]}
    wanted: dict[str, list[Path]] = {}
    missing: list[tuple[Shard, Path]] = []
    for kind, shard in _shards(recipe, spoken, own, places):
        made_of = spoken.key(*_MADE_OF[kind])
        also = own_key if shard.recorded else {}
        key = digest(_AUGMENT, made_of, corpus_key, kind, shard.count, shard.seed, *also.items())
        path = places.cache / "tracks" / f"{kind}-{key}.npz"
        wanted.setdefault(kind, []).append(path)
        if not path.exists():
            missing.append((shard, path))
    total = sum(map(len, wanted.values()))
    told("augment", total - len(missing), total, "files of tracks")
    _in_processes(
        _make_shard,
        missing,
        places.jobs,
        lambda n: told("augment", total - n, total, "files of tracks"),
    )
    return wanted


def featurise(recipe: Recipe, places: Places, told: Told) -> tuple[list[Path], Path]:
    """The stage "featurise": files of hours without the word to learn from, real and synthetic,
    and the one to choose by; without a corpus there is nothing in it."""
    key = digest(_FEATURISE, _corpus_key(places.corpus), recipe.seed)
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
    _in_processes(
        _make_hours,
        missing,
        places.jobs,
        lambda n: told("featurise", len(jobs) - n, len(jobs), "files of hours"),
    )
    paths = [path for _, path in jobs]
    return [paths[0], *paths[2:]], paths[1]


def _shards(
    recipe: Recipe, spoken: Spoken, own: tuple[Path, ...], places: Places
) -> Iterator[tuple[str, Shard]]:
    for kind, count in recipe.tracks.model_dump().items():
        held_out = kind == "held_out"
        words = not {"word", "held_out"}.isdisjoint(_MADE_OF[kind])
        for at in range(0, count, _SHARD):
            yield (
                kind,
                Shard(
                    "word" if held_out else kind,
                    min(_SHARD, count - at),
                    (recipe.seed, *kind.encode(), at),
                    tuple(spoken.files["held_out" if held_out else "word"] if words else ()),
                    tuple(spoken.files["look_alike"] if kind == "look_alike" else ()),
                    tuple(spoken.files["sentence"]),
                    own if kind in ("word", "part") else (),
                    recipe.phrase,
                    places.corpus,
                    recipe.seed + 1000 * held_out,
                ),
            )


def _in_processes(
    function: Callable, jobs: list[tuple], count: int, told: Callable[[int], None]
) -> None:
    """Call a function with each pair of arguments; told: how many are left."""
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    left = len(jobs)
    with ProcessPoolExecutor(count, context) as pool:
        futures = [pool.submit(function, *job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                left -= 1
                told(left)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _make_shard(shard: Shard, path: Path) -> None:
    sources = _sources(shard)
    kept(path, lambda: make_tracks(sources, shard.kind, shard.count, shard.seed), write_tracks)


def _sources(shard: Shard) -> Sources:
    talk, noise = _recordings(shard.corpus)
    words = [*_clips(shard.word), *_recorded(shard.recorded, shard.phrase)]
    said = (words, _clips(shard.look_alike), _clips(shard.sentence))
    return Sources(*said, talk, noise, _rooms(shard.rooms_seed))


@lru_cache(maxsize=1)
def _recorded(paths: tuple[Path, ...], phrase: str) -> list[Clip]:
    return recorded_clips(paths, phrase)


@lru_cache(maxsize=4)
def _clips(paths: tuple[Path, ...]) -> list[Clip]:
    return clips(paths)


@lru_cache(maxsize=1)
def _recordings(corpus: Path) -> tuple[list[Sound], list[Sound]]:
    """Of people, and of anything."""
    learned = [negative for negative in real_negatives(corpus) if negative.learn]
    heard = sounds(learned)
    talk = [x for x, negative in zip(heard, learned, strict=True) if negative.kind in TALK]
    return talk, heard


@lru_cache(maxsize=2)
def _rooms(seed: int) -> list[Sound]:
    return sound.rooms(_ROOMS, seed)


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
        return digest(_CHATTER, _corpus_key(self.corpus), versions, *who)


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
    _, noises = _recordings(job.corpus)
    rooms = _rooms(job.seed * 100)
    said = chatter(job.phrase, voice("hibari"), job.hours * 3600, rooms, noises, dice)
    return Stream.of(job.name, said)


def _make_stream(job: _StreamJob, path: Path) -> None:
    negatives: list[Negative] = real_negatives(job.corpus)
    learned = [negative for negative in negatives if negative.learn]
    if job.what == "alter":
        rooms = sound.rooms(_ROOMS, job.seed)
        kept(
            path,
            lambda: [altered_stream(sounds(learned), rooms, (job.seed,), path.stem)],
            write_streams,
        )
    else:
        chosen = learned if job.what == "learn" else [n for n in negatives if not n.learn]
        kept(path, lambda: streams(chosen), write_streams)


def _corpus_key(corpus: Path) -> str:
    return hashlib.sha256(corpus.read_bytes()).hexdigest() if corpus.is_file() else ""


def load_tracks(files: dict[str, list[Path]]) -> tuple[Tracks, Tracks, Tracks]:
    """Words, others and held-out words."""
    others = [p for kind, paths in files.items() if kind not in ("word", "held_out") for p in paths]
    return read_tracks(files["word"]), read_tracks(others), read_tracks(files["held_out"])


__all__ = ["Places", "augment", "featurise", "load_tracks", "read_streams", "speak"]

"""From a recipe to tracks: the first stages, each done once and found again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bluering.training import sound
from bluering.training.negatives import corpus_key, learned_sounds
from bluering.training.recipe import Recipe
from bluering.training.recorded import recorded_clips, recordings
from bluering.training.script import KINDS as SPOKEN_KINDS
from bluering.training.script import Batch, batches
from bluering.training.speech import Clip, clips, synthesise
from bluering.training.stages import (
    Places,
    Told,
    digest,
    in_processes,
    kept,
    read_tracks,
    write_tracks,
)
from bluering.training.tracks import WORDS, Sources, Tracks, make_tracks

_AUGMENT = 4  # counted up when the code changes what it makes

_SHARD = 500  # tracks in a file
_HEARINGS, _CAST = 2, 120  # see make_tracks; of what is held out, each is another

# What speech tracks of a kind are made of: words share those without any.
_MADE_OF = {
    "word": ("word", "sentence"),
    "close": ("word", "sentence"),
    "look_alike": ("look_alike", "sentence"),
    "part": ("word", "sentence"),
    "sentence": ("sentence",),
    "noise": ("sentence",),
    "held_out": ("held_out", "sentence"),
}


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
    hearings: int
    cast: int | None
    word: tuple[Path, ...]
    look_alike: tuple[Path, ...]
    sentence: tuple[Path, ...]
    recorded: tuple[Path, ...]
    phrase: str
    corpus: Path
    rooms_seed: int


def augment(recipe: Recipe, spoken: Spoken, places: Places, told: Told) -> dict[str, list[Path]]:
    """The stage "augment": files of tracks by kind, those held out under "held_out"."""
    corpus = corpus_key(places.corpus)
    own = recordings(recipe.recordings)
    own_key = {"own": [hashlib.sha256(path.read_bytes()).hexdigest() for path in own]}
    wanted: dict[str, list[Path]] = {}
    missing: list[tuple[Shard, Path]] = []
    for kind, shard in _shards(recipe, spoken, own, places):
        made_of = spoken.key(*_MADE_OF[kind])
        also = own_key if shard.recorded else {}
        key = digest(_AUGMENT, made_of, corpus, kind, shard.count, shard.seed, *also.items())
        path = places.cache / "tracks" / f"{kind}-{key}.npz"
        wanted.setdefault(kind, []).append(path)
        if not path.exists():
            missing.append((shard, path))
    total = sum(map(len, wanted.values()))
    told("augment", total - len(missing), total, "files of tracks")
    in_processes(
        _make_shard,
        missing,
        places.jobs,
        lambda n: told("augment", total - n, total, "files of tracks"),
    )
    return wanted


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
                    1 if held_out else _HEARINGS,
                    None if held_out else _CAST,
                    tuple(spoken.files["held_out" if held_out else "word"] if words else ()),
                    tuple(spoken.files["look_alike"] if kind == "look_alike" else ()),
                    tuple(spoken.files["sentence"]),
                    own if kind in (*WORDS, "part") else (),
                    recipe.phrase,
                    places.corpus,
                    recipe.seed + 1000 * held_out,
                ),
            )


def _make_shard(shard: Shard, path: Path) -> None:
    sources = _sources(shard)

    def make() -> Tracks:
        return make_tracks(sources, shard.kind, shard.count, shard.seed, shard.hearings, shard.cast)

    kept(path, make, write_tracks)


def _sources(shard: Shard) -> Sources:
    talk, noise = learned_sounds(shard.corpus)
    words = [*_clips(shard.word), *_recorded(shard.recorded, shard.phrase)]
    said = (words, _clips(shard.look_alike), _clips(shard.sentence))
    return Sources(*said, talk, noise, sound.rooms(shard.rooms_seed))


@lru_cache(maxsize=1)
def _recorded(paths: tuple[Path, ...], phrase: str) -> list[Clip]:
    return recorded_clips(paths, phrase)


@lru_cache(maxsize=4)
def _clips(paths: tuple[Path, ...]) -> list[Clip]:
    return clips(paths)


def load_tracks(files: dict[str, list[Path]]) -> tuple[Tracks, Tracks, Tracks]:
    """Words, others and held-out words."""
    words = [path for kind in WORDS for path in files.get(kind, [])]
    kinds = [kind for kind in files if kind not in (*WORDS, "held_out")]
    others = [path for kind in kinds for path in files[kind]]
    return read_tracks(words), read_tracks(others), read_tracks(files["held_out"])

"""Shards: files of a few hundred tracks, what each is made of and its name in the cache."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from bluering.training.augment.negatives import corpus_key, train_half_by_kind
from bluering.training.augment.noises import Noises
from bluering.training.augment.recorded import recorded_clips, recordings
from bluering.training.augment.rooms import impulse_responses
from bluering.training.augment.tracks import WORDS, Sources, Tracks, make_tracks, read_tracks
from bluering.training.cache import digest, kept, write_arrays
from bluering.training.places import Places
from bluering.training.recipe import NoiseBy, Recipe
from bluering.training.speak.speech import Clip, clips
from bluering.training.speak.stage import SpeechFiles
from bluering.training.workers import File

_AUGMENT = 10  # counted up when the code changes what it makes

_SHARD = 500  # tracks in a file
_RENDITIONS, _SUBSET = 2, 120  # see make_tracks; held-out tracks all differ

# Which clips of the word the tracks of a kind have; other kinds have none.
_WORD_OF = {"word": "word", "close": "word", "part": "word", "held_out": "held_out"}


@dataclass(frozen=True)
class Shard:
    """A file of tracks of one kind, and what they are made of. word, look_alike, sentence: files of
    clips; recorded: real recordings of the word."""

    kind: str
    count: int
    seed: tuple[int, ...]
    renditions: int
    subset: int | None
    word: tuple[Path, ...]
    look_alike: tuple[Path, ...]
    sentence: tuple[Path, ...]
    recorded: tuple[Path, ...]
    phrase: str
    corpus: Path
    noise_by: NoiseBy
    narrow: float
    rooms_seed: int


def track_files(
    recipe: Recipe, speech: SpeechFiles, places: Places
) -> tuple[dict[str, list[Path]], list[File]]:
    """The paths of all shards by kind, those held out under "held_out", and how they are made."""
    own = recordings(recipe.recordings)
    tracks: dict[str, list[Path]] = {}
    files = []
    for shard in _shards(recipe, speech, own, places):
        path = places.cache / "tracks" / f"{shard.kind}-{_key(shard, speech)}.npz"
        tracks.setdefault(shard.kind, []).append(path)
        make = partial(_make_shard, shard, path)
        files.append(File("augment", "files of tracks", path, make))
    return tracks, files


def _shards(
    recipe: Recipe, speech: SpeechFiles, own: tuple[Path, ...], places: Places
) -> Iterator[Shard]:
    counts = recipe.tracks.model_dump()
    for kind, count in counts.items():
        if kind == "recorded" and not own:
            continue
        held_out = kind == "held_out"
        words = speech.of(_WORD_OF.get(kind))
        # Where the word isn't synthesised, all kinds with the word use the recordings.
        of_own = kind == "recorded" or (kind in _WORD_OF and not held_out and not words)
        for at in range(0, count, _SHARD):
            yield Shard(
                kind,
                min(_SHARD, count - at),
                (recipe.seed, *kind.encode(), at),
                1 if held_out else _RENDITIONS,
                None if held_out else _SUBSET,
                words,
                speech.of("look_alike" if kind == "look_alike" else None),
                speech.of("sentence"),
                own if of_own else (),
                recipe.phrase,
                places.corpus,
                _noise_by(recipe, kind, at),
                recipe.narrow,
                recipe.seed + 1000 * held_out,
            )


def _noise_by(recipe: Recipe, kind: str, at: int) -> NoiseBy:
    """In the shard that begins with track `at`."""
    if recipe.noise_by != "both":
        return recipe.noise_by
    return "kind" if kind != "held_out" and at // _SHARD % 3 == 2 else "time"


def _key(shard: Shard, speech: SpeechFiles) -> str:
    """A hash of everything that a shard's tracks are made of."""
    kinds = [_WORD_OF.get(shard.kind), "look_alike" if shard.look_alike else None, "sentence"]
    made_of = speech.key(*filter(None, kinds))
    own = [hashlib.sha256(path.read_bytes()).hexdigest() for path in shard.recorded]
    drawn = (shard.kind, shard.count, shard.seed, shard.noise_by, shard.narrow)
    return digest(_AUGMENT, made_of, corpus_key(shard.corpus), *drawn, own)


def _make_shard(shard: Shard, path: Path) -> None:
    sources = _sources(shard)
    kind = "word" if shard.kind in ("recorded", "held_out") else shard.kind

    def make() -> Tracks:
        return make_tracks(sources, kind, shard.count, shard.seed, shard.renditions, shard.subset)

    kept(path, make, write_arrays)


def _sources(shard: Shard) -> Sources:
    noises = Noises(train_half_by_kind(shard.corpus), shard.noise_by)
    words = [*_clips(shard.word), *_recorded(shard.recorded, shard.phrase)]
    speech = (words, _clips(shard.look_alike), _clips(shard.sentence))
    return Sources(*speech, noises, impulse_responses(shard.rooms_seed), shard.narrow)


@lru_cache(maxsize=1)
def _recorded(paths: tuple[Path, ...], phrase: str) -> list[Clip]:
    return recorded_clips(paths, phrase)


@lru_cache(maxsize=4)
def _clips(paths: tuple[Path, ...]) -> list[Clip]:
    return clips(paths)


def load_tracks(files: dict[str, list[Path]]) -> tuple[Tracks, Tracks]:
    """Tracks to train on, with the word and without."""
    of_words = (*WORDS, "recorded")
    words = [path for kind in of_words for path in files.get(kind, [])]
    kinds = [kind for kind in files if kind not in (*of_words, "held_out")]
    others = [path for kind in kinds for path in files[kind]]
    return read_tracks(words), read_tracks(others)

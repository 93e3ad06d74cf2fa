"""Files of tracks, some hundred in each: what each is made of, and its name in the cache."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from bluering.training.augment import sound
from bluering.training.augment.negatives import corpus_key, learned_by_kind
from bluering.training.augment.noises import Noises
from bluering.training.augment.recorded import recorded_clips, recordings
from bluering.training.augment.tracks import WORDS, Sources, Tracks, make_tracks, read_tracks
from bluering.training.cache import digest, kept, write_arrays
from bluering.training.places import Places
from bluering.training.recipe import NoiseBy, Recipe
from bluering.training.speak.speech import Clip, clips
from bluering.training.speak.stage import Spoken
from bluering.training.workers import File

_AUGMENT = 10  # counted up when the code changes what it makes

_SHARD = 500  # tracks in a file
_HEARINGS, _CAST = 2, 120  # see make_tracks; of what is held out, each is another

# Of which clips the word is in the tracks of a kind; the other kinds have none.
_WORD_OF = {"word": "word", "close": "word", "part": "word", "held_out": "held_out"}


@dataclass(frozen=True)
class Shard:
    """Some tracks of a kind, and what they are made of. word, look_alike, sentence: files of clips;
    recorded: real recordings of the word."""

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
    noise_by: NoiseBy
    narrow: float
    rooms_seed: int


def track_files(
    recipe: Recipe, spoken: Spoken, places: Places
) -> tuple[dict[str, list[Path]], list[File]]:
    """Files of tracks by kind, those held out under "held_out", and how they are made."""
    own = recordings(recipe.recordings)
    tracks: dict[str, list[Path]] = {}
    files = []
    for shard in _shards(recipe, spoken, own, places):
        path = places.cache / "tracks" / f"{shard.kind}-{_key(shard, spoken)}.npz"
        tracks.setdefault(shard.kind, []).append(path)
        make = partial(_make_shard, shard, path)
        files.append(File("augment", "files of tracks", path, make))
    return tracks, files


def _shards(
    recipe: Recipe, spoken: Spoken, own: tuple[Path, ...], places: Places
) -> Iterator[Shard]:
    counts = recipe.tracks.model_dump()
    for kind, count in counts.items():
        if kind == "recorded" and not own:
            continue
        held_out = kind == "held_out"
        words = spoken.of(_WORD_OF.get(kind))
        # Where nothing was synthesised, all that is said of the word is what was recorded.
        of_own = kind == "recorded" or (kind in _WORD_OF and not held_out and not words)
        for at in range(0, count, _SHARD):
            yield Shard(
                kind,
                min(_SHARD, count - at),
                (recipe.seed, *kind.encode(), at),
                1 if held_out else _HEARINGS,
                None if held_out else _CAST,
                words,
                spoken.of("look_alike" if kind == "look_alike" else None),
                spoken.of("sentence"),
                own if of_own else (),
                recipe.phrase,
                places.corpus,
                _noise_by(recipe, kind, at),
                recipe.narrow,
                recipe.seed + 1000 * held_out,
            )


def _noise_by(recipe: Recipe, kind: str, at: int) -> NoiseBy:
    """In the file of tracks that begins there."""
    if recipe.noise_by != "both":
        return recipe.noise_by
    return "kind" if kind != "held_out" and at // _SHARD % 3 == 2 else "time"


def _key(shard: Shard, spoken: Spoken) -> str:
    """A hash of all that a shard's tracks are made of."""
    kinds = [_WORD_OF.get(shard.kind), "look_alike" if shard.look_alike else None, "sentence"]
    made_of = spoken.key(*filter(None, kinds))
    own = [hashlib.sha256(path.read_bytes()).hexdigest() for path in shard.recorded]
    drawn = (shard.kind, shard.count, shard.seed, shard.noise_by, shard.narrow)
    return digest(_AUGMENT, made_of, corpus_key(shard.corpus), *drawn, own)


def _make_shard(shard: Shard, path: Path) -> None:
    sources = _sources(shard)
    kind = "word" if shard.kind in ("recorded", "held_out") else shard.kind

    def make() -> Tracks:
        return make_tracks(sources, kind, shard.count, shard.seed, shard.hearings, shard.cast)

    kept(path, make, write_arrays)


def _sources(shard: Shard) -> Sources:
    noises = Noises(learned_by_kind(shard.corpus), shard.noise_by)
    words = [*_clips(shard.word), *_recorded(shard.recorded, shard.phrase)]
    said = (words, _clips(shard.look_alike), _clips(shard.sentence))
    return Sources(*said, noises, sound.rooms(shard.rooms_seed), shard.narrow)


@lru_cache(maxsize=1)
def _recorded(paths: tuple[Path, ...], phrase: str) -> list[Clip]:
    return recorded_clips(paths, phrase)


@lru_cache(maxsize=4)
def _clips(paths: tuple[Path, ...]) -> list[Clip]:
    return clips(paths)


def load_tracks(files: dict[str, list[Path]]) -> tuple[Tracks, Tracks]:
    """Words and others to learn from."""
    of_words = (*WORDS, "recorded")
    words = [path for kind in of_words for path in files.get(kind, [])]
    kinds = [kind for kind in files if kind not in (*of_words, "held_out")]
    others = [path for kind in kinds for path in files[kind]]
    return read_tracks(words), read_tracks(others)

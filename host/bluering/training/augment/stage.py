"""Stage 2: everything that the network trains on, as files of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bluering.training.augment.hours import stream_files
from bluering.training.augment.shards import load_tracks, track_files
from bluering.training.augment.streams import Stream, read_streams
from bluering.training.augment.tracks import Tracks, read_tracks
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.speak.speech import clips
from bluering.training.speak.stage import SpeechFiles
from bluering.training.workers import Progress, make_files


@dataclass(frozen=True)
class Dataset:
    """Files to train on and, held out, to choose by.

    tracks: by kind, those held out under "held_out"; human: which of the held-out clips sound
    enough like people to choose by; streams, held_out: hours without the word, to train on and
    held out.
    """

    tracks: dict[str, list[Path]]
    human: Sequence[bool]
    streams: list[Path]
    held_out: Path

    def train_tracks(self) -> tuple[Tracks, Tracks]:
        """With the word and without."""
        return load_tracks(self.tracks)

    def train_streams(self) -> list[Stream]:
        """Hours without the word."""
        return [stream for path in self.streams for stream in read_streams(path)]

    def held_out_words(self) -> Tracks:
        """Tracks with the word, by voices that aren't trained on."""
        held = read_tracks(self.tracks["held_out"])
        return held.of_clips(self.human) if any(self.human) else held

    def held_out_streams(self) -> list[Stream]:
        """Hours without the word that aren't trained on."""
        return read_streams(self.held_out)

    def key(self) -> list[object]:
        """The names of all files to train on, which have hashes in them."""
        tracks = {kind: [p.stem for p in paths] for kind, paths in sorted(self.tracks.items())}
        return [tracks, [path.stem for path in self.streams]]


def augment(recipe: Recipe, speech: SpeechFiles, places: Places, progress: Progress) -> Dataset:
    """Make every file that isn't in the cache yet. Raises TrainingError."""
    streams, held_out, longer = stream_files(recipe, places)
    tracks, shorter = track_files(recipe, speech, places)
    make_files([*longer, *shorter], places.jobs, progress)
    held_out_clips = clips(speech.files["held_out"])
    human = [clip.utterance.engine != "flite" for clip in held_out_clips]
    return Dataset(tracks, human, streams, held_out)

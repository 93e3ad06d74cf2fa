"""Stage 1: everything in the recipe's script as clips of speech."""

from dataclasses import dataclass
from pathlib import Path

from bluering.training.cache import digest
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.speak.script import KINDS, Batch, batches
from bluering.training.speak.speech import synthesise
from bluering.training.workers import Progress


@dataclass(frozen=True)
class SpeechFiles:
    """Files of clips, by kind of utterance."""

    files: dict[str, list[Path]]

    def of(self, kind: str | None) -> tuple[Path, ...]:
        """The files of a kind; none for None."""
        return tuple(self.files[kind]) if kind else ()

    def key(self, *kinds: str) -> str:
        """A hash of the clips of some kinds."""
        return digest([[path.stem for path in self.files[kind]] for kind in kinds])


def speak(recipe: Recipe, places: Places, progress: Progress) -> SpeechFiles:
    """Synthesise what isn't in the cache yet. Raises TrainingError."""
    script = {kind: list(batches(recipe, kind, places.sentences)) for kind in KINDS}
    every: list[Batch] = [batch for kind in KINDS for batch in script[kind]]
    paths = iter(
        synthesise(
            every,
            places.cache / "speech",
            places.jobs,
            lambda done, total: progress("synthesise", done, total, "batches of speech"),
        )
    )
    return SpeechFiles({kind: [next(paths) for _ in script[kind]] for kind in KINDS})

"""The stage "synthesise": all that the recipe's script says, spoken once and found again."""

from dataclasses import dataclass
from pathlib import Path

from bluering.training.cache import digest
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.speak.script import KINDS, Batch, batches
from bluering.training.speak.speech import synthesise
from bluering.training.workers import Told


@dataclass(frozen=True)
class Spoken:
    """Files of clips by kind."""

    files: dict[str, list[Path]]

    def of(self, kind: str | None) -> tuple[Path, ...]:
        """The files of a kind; none of no kind."""
        return tuple(self.files[kind]) if kind else ()

    def key(self, *kinds: str) -> str:
        return digest([[path.stem for path in self.files[kind]] for kind in kinds])


def speak(recipe: Recipe, places: Places, told: Told) -> Spoken:
    """The stage "synthesise"."""
    script = {kind: list(batches(recipe, kind, places.sentences)) for kind in KINDS}
    every: list[Batch] = [batch for kind in KINDS for batch in script[kind]]
    paths = iter(
        synthesise(
            every,
            places.cache / "speech",
            places.jobs,
            lambda done, total: told("synthesise", done, total, "batches of speech"),
        )
    )
    return Spoken({kind: [next(paths) for _ in script[kind]] for kind in KINDS})

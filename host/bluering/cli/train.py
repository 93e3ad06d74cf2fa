"""``bluering train``: from a word to a model with its evaluation and card."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bluering.cli.extras import extra

if TYPE_CHECKING:
    from bluering.training.recipe import Recipe

_RECIPES = Path("models/training")
_CORPUS = Path("../shared/corpus/dev/manifest.csv")


def train(
    word: Annotated[
        str, typer.Argument(help="A recipe's name or file (.toml), or any English phrase.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model's folder; default: models/WORD."),
    ] = None,
    corpus: Annotated[
        Path,
        typer.Option("--corpus", help="A manifest.csv of recordings, for training and evaluation."),
    ] = _CORPUS,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = os.cpu_count() or 1,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Run every stage on hardly any data, as a test.")
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only check whether the phrase is a good wake word.")
    ] = False,
) -> None:
    """Train a wake word. If interrupted, run the same command again to continue."""
    with extra("train"):
        from bluering.training.places import Places, cache_folder
        from bluering.training.recipe import find_recipe, smoke_recipe
        from bluering.training.speak.phrase import warnings

        recipe: Recipe = find_recipe(word, _RECIPES)
        for warning in warnings(recipe.phrase):
            typer.echo(f"warning: {warning}", err=True)
        if check_only:
            return
        from bluering.training.run import train_word
        from bluering.training.ship.folder import ModelFolder
    if smoke:
        recipe = smoke_recipe(recipe)
    places = Places(cache_folder(), _RECIPES / "sentences.txt", corpus, jobs)
    folder = ModelFolder(output or Path("models") / recipe.name, recipe.name)
    with _Stages() as stages:
        card = train_word(recipe, places, folder, stages.progress)
    size = len(card.trained.model)
    typer.echo(f"wrote {folder.path}: {size:,} bytes; see {folder.card}")


class _Stages:
    """A progress bar for each stage; without a terminal, a line for every tenth of it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:10}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[line]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, int] = {}

    def __enter__(self) -> "_Stages":
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def progress(self, stage: str, done: int, total: int, line: str) -> None:
        """For train_word."""
        if self._console.is_terminal:
            if stage not in self._tasks:
                self._tasks[stage] = self._progress.add_task(stage, total=total, line="")
            self._progress.update(self._tasks[stage], completed=done, total=total, line=line)
            return
        tenth = 10 * done // max(1, total)
        if self._said.get(stage) != tenth:
            self._said[stage] = tenth
            self._console.print(f"{stage}: {done} of {total}, {line}", highlight=False)

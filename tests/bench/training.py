"""Miss rates against false accepts of trained weights: python -m tests.bench.training WORD FILE...

FILEs are weights in .cache/train/weights: a network's (X.pt, float or with int8 in the loop) or a
teacher's (X.teacher.pt). Positives: the development corpus's clips of the word, clean and in noise
as `bluering validate` mixes it. False accepts: the held-out half of its recordings without the
word. A network is run over both in each phase of its steps. The rows of the tables in
models/training/tried.md come from this.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bluering.sound_files import read
from bluering.training.augment.negatives import real_negatives, streams
from bluering.training.augment.streams import Stream
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.scores import miss_rates, peaks, phases, stream_scores
from bluering.training.fit.teacher import Teacher, teach
from bluering.training.recipe import Recipe, find_recipe
from bluering.validate.corpus import load_corpus
from bluering.validate.hear import render
from bluering.validate.plan import make_plan, parse_condition
from tests.conftest import CORPUS

PER_HOUR = (0.25, 0.5, 1.0, 2.0, 4.0)
CONDITIONS = ("clean", "ambient@10", "tv@10")
_MANIFEST = CORPUS / "manifest.csv"
_TEACHERS_SECOND = 12  # of a teacher's outputs
_RECIPES = Path("models/training")

Scorer = Callable[[Stream], list[NDArray[np.float32]]]


def main(word: str, *files: str) -> None:
    """Print a row for each file and condition."""
    recipe = find_recipe(word, _RECIPES)
    clips = _clips(recipe)
    number = len(clips[CONDITIONS[0]])
    held_out = streams([n for n in real_negatives(_MANIFEST) if not n.learn])
    hours = sum(len(stream.rows) for stream in held_out) / 360_000
    title = f"{word}: missed of {number} clips at false accepts per hour, of {hours:.2f} h"
    table = Table("", "", *(f"{per_hour:g}" for per_hour in PER_HOUR), title=title)
    for file in files:
        kind, score, peaks_of = _scorer(recipe, Path(file))
        often = len(score(clips[CONDITIONS[0]][0]))
        woken = np.concatenate([peaks_of(scores) for s in held_out for scores in score(s)])
        for condition in CONDITIONS:
            reached = [scores.max(initial=-np.inf) for c in clips[condition] for scores in score(c)]
            rates = miss_rates(np.array(reached), woken, often * hours, PER_HOUR)
            name = f"{Path(file).name[:8]}, {kind}"
            table.add_row(name, condition, *(f"{100 * rate:.1f} %" for rate in rates))
    Console().print(table)


def _clips(recipe: Recipe) -> dict[str, list[Stream]]:
    """The clips by condition."""
    corpus = load_corpus(_MANIFEST, {recipe.name})
    plan = make_plan(corpus, [parse_condition(name) for name in CONDITIONS], seed=1)
    found: dict[str, list[Stream]] = {name: [] for name in CONDITIONS}
    for part in plan.clips:
        clip = read(part.clip.path)
        for hearing in part.hearings:
            stream = Stream.of(str(part.clip.path), render(clip, hearing))
            found[hearing.condition.name].append(stream)
    return found


def _scorer(recipe: Recipe, file: Path) -> tuple[str, Scorer, Callable]:
    """Its kind, what scores a stream in each phase, and what finds the score of each wake."""
    state = torch.load(file)
    if file.name.endswith(".teacher.pt"):
        teacher = Teacher()
        teacher.load_state_dict(state)
        return "teacher", (lambda stream: [teach(teacher, stream.embedded)]), _highest
    net: Net | QuantisedNet = Net(recipe.network)
    kind = "int8" if "low" in state else "float"
    if kind == "int8":
        net = QuantisedNet(net)
    net.load_state_dict(state)

    def score(stream: Stream) -> list[NDArray[np.float32]]:
        rows = phases(stream.rows, recipe.network.stride)
        return [stream_scores(net, phase, recipe.window) for phase in rows]

    return kind, score, peaks


def _highest(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The highest of each second."""
    whole = len(logits) // _TEACHERS_SECOND * _TEACHERS_SECOND
    return logits[:whole].reshape(-1, _TEACHERS_SECOND).max(1)


if __name__ == "__main__":
    if not _MANIFEST.is_file():
        sys.exit(f"{_MANIFEST} isn't there: this needs the development corpus")
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    main(*sys.argv[1:])

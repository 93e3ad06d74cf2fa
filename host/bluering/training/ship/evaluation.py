"""`bluering validate` on real recordings and on held-out synthetic speech."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.ship.folder import ModelFolder
from bluering.training.ship.held_out import write_corpus
from bluering.training.speak.speech import Clip
from bluering.validate.choose import choose_model
from bluering.validate.corpus import load_corpus
from bluering.validate.engines import EngineSpec, engine_spec
from bluering.validate.progress import Bar
from bluering.validate.report.schema import Report, without_names, write_report
from bluering.validate.runner import Here, Processes
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store

CONDITIONS = ("clean", "tv@10", "ambient@10", "ambient@5", "near", "far")
_HELD_OUT_CONDITIONS = ("clean", "tv@10", "ambient@10")


def on_real_recordings(folder: ModelFolder, places: Places) -> Report | None:
    """The report, None where there is no corpus."""
    corpus = places.corpus.parent if places.corpus.is_file() else places.corpus
    return _measure(folder, corpus, folder.evaluation, places, CONDITIONS)


def on_synthetic_speech(
    recipe: Recipe, clips: Sequence[Clip], folder: ModelFolder, places: Places
) -> Report | None:
    """The report. clips: of the word, by held-out voices."""
    path = places.cache / "held-out" / recipe.name
    corpus = write_corpus(clips, recipe.name, places.corpus, path, recipe.seed)
    return _measure(folder, corpus, folder.synthetic, places, _HELD_OUT_CONDITIONS)


def _measure(
    folder: ModelFolder, corpus: Path, output: Path, places: Places, conditions: tuple[str, ...]
) -> Report | None:
    if not corpus.exists():
        return None
    spec = engine_spec("reference", (choose_model(str(folder.manifest)),))
    prepared = prepare(corpus, spec, _possible(conditions, corpus, spec), seed=1)
    workers = Processes(places.jobs) if places.jobs > 1 else Here()
    store = Store(places.cache / "validate", spec)
    command = ["bluering", "validate", "--model", str(folder.manifest), "--corpus", str(corpus)]
    for condition in conditions:
        command += ["--condition", condition]
    command += ["--omit-names", "-o", str(output.with_suffix(""))]
    with Bar() as bar:
        report = carry_out(prepared, store, workers, bar, shlex.join(command))
    report = without_names(report)
    write_report(report, output)
    return report


def _possible(conditions: tuple[str, ...], corpus: Path, spec: EngineSpec) -> list[str]:
    """Those whose noise is in the corpus."""
    kinds = load_corpus(corpus, {model.word for model in spec.models}).kinds()
    return [c for c in conditions if "@" not in c or c.split("@")[0].split("+")[-1] in kinds]

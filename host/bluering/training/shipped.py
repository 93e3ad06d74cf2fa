"""The stage "write": a folder with the model, its manifest, evaluation, card and lock."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bluering.models.manifest import Manifest, Micro
from bluering.training.card import Card, card_text
from bluering.training.judge import Cutoff
from bluering.training.recipe import Recipe
from bluering.validate.choose import choose_model
from bluering.validate.engines import engine_spec
from bluering.validate.progress import Bar
from bluering.validate.report.schema import Report, without_names, write_aside, write_report
from bluering.validate.runner import Here, Processes
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store

CONDITIONS = ("clean", "tv@10", "ambient@10", "ambient@5", "near", "far")
_HELD_OUT_CONDITIONS = ("clean", "tv@10", "ambient@10")
_ARENA = 26_080  # bytes, for ESPHome: what microWakeWord's models of this class ask for


@dataclass(frozen=True)
class Names:
    """The files of a model."""

    folder: Path
    name: str

    @property
    def model(self) -> Path:
        return self.folder / f"{self.name}.tflite"

    @property
    def manifest(self) -> Path:
        return self.folder / f"{self.name}.json"

    @property
    def evaluation(self) -> Path:
        return self.folder / "evaluation.json"

    @property
    def synthetic(self) -> Path:
        return self.folder / "synthetic.json"

    @property
    def card(self) -> Path:
        return self.folder / "CARD.md"

    @property
    def lock(self) -> Path:
        return self.folder / "lock.json"


def write_model(recipe: Recipe, model: bytes, cutoff: Cutoff, names: Names) -> None:
    """The ``.tflite`` and its manifest."""
    names.folder.mkdir(parents=True, exist_ok=True)
    aside = names.model.with_suffix(".part")
    aside.write_bytes(model)
    aside.replace(names.model)
    manifest = Manifest(
        type="micro",
        wake_word=recipe.phrase,
        author="BlueRing",
        model=names.model.name,
        trained_languages=["en"],
        version=2,
        micro=Micro(
            probability_cutoff=_as_share(cutoff.value),
            sliding_window_size=recipe.window,
            feature_step_size=10,
            tensor_arena_size=_ARENA,
            minimum_esphome_version="2024.7.0",
        ),
    )
    content = manifest.model_dump(exclude={"cutoff", "window"}, exclude_none=True)
    write_aside(names.manifest, json.dumps(content, indent=2) + "\n")


def measure(
    names: Names, corpus: Path, output: Path, parts: Path, jobs: int, conditions: tuple[str, ...]
) -> Report | None:
    """What `bluering validate` says of the model; None where there is no corpus."""
    if not corpus.exists():
        return None
    spec = engine_spec("reference", (choose_model(str(names.manifest)),))
    prepared = prepare(corpus, spec, _possible(conditions, corpus, spec), seed=1)
    workers = Processes(jobs) if jobs > 1 else Here()
    command = ["bluering", "validate", "--model", str(names.manifest), "--corpus", str(corpus)]
    for condition in conditions:
        command += ["--condition", condition]
    command += ["--omit-names", "-o", str(output.with_suffix(""))]
    with Bar() as bar:
        report = carry_out(prepared, Store(parts, spec), workers, bar, shlex.join(command))
    report = without_names(report)
    write_report(report, output)
    return report


def evaluate(
    names: Names, corpus: Path, held_out: Path, parts: Path, jobs: int, told: Callable[[str], None]
) -> tuple[Report | None, Report | None]:
    """On real recordings and on held-out synthetic ones."""
    told("on real recordings")
    real = measure(names, corpus, names.evaluation, parts, jobs, CONDITIONS)
    told("on held-out synthetic speech")
    synthetic = measure(names, held_out, names.synthetic, parts, jobs, _HELD_OUT_CONDITIONS)
    return real, synthetic


def write_card(card: Card, names: Names) -> None:
    """CARD.md."""
    write_aside(names.card, card_text(card))


def _as_share(cutoff: int) -> float:
    """The decimal that the manifest's rule, int(share * 255), turns into this cutoff again."""
    share = round(cutoff / 255 + 0.0005, 4)
    while int(share * 255) < cutoff:
        share = round(share + 0.0001, 4)
    return share


def _possible(conditions: tuple[str, ...], corpus: Path, spec) -> list[str]:
    from bluering.validate.corpus import load_corpus

    kinds = load_corpus(corpus, {model.word for model in spec.models}).kinds()
    return [c for c in conditions if "@" not in c or c.split("@")[0].split("+")[-1] in kinds]

"""One validation from beginning to end: corpus, plan, work, report."""

from dataclasses import dataclass
from pathlib import Path

from bluering import __version__
from bluering.errors import BlueRingError
from bluering.validate import mix
from bluering.validate.corpus import Corpus, Note, load_corpus
from bluering.validate.engines import EngineSpec
from bluering.validate.measure import Measurement
from bluering.validate.plan import (
    DEFAULT_CONDITIONS,
    RUN_IN_SECONDS,
    Condition,
    Part,
    Plan,
    make_plan,
    parse_condition,
)
from bluering.validate.report.schema import InputNote, Report
from bluering.validate.runner import Progress, Workers, run
from bluering.validate.store import Store
from ear.audio.format import HOPS_PER_SECOND
from ear.spotter.detector import REFRACTORY_HOPS, WARMUP_HOPS


class NothingMeasuredError(BlueRingError):
    """Every input had to be left out."""


@dataclass(frozen=True)
class Prepared:
    """A validation that only has to be carried out."""

    corpus: Corpus
    plan: Plan
    spec: EngineSpec
    seed: int

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.plan.parts


def prepare(
    corpus_path: Path, spec: EngineSpec, conditions: list[str], seed: int, convert: bool = False
) -> Prepared:
    """Read the corpus and split it; without conditions the usual ones that it has noise for.

    convert: as for load_corpus.
    """
    corpus = load_corpus(corpus_path, {model.word for model in spec.models}, convert)
    chosen = [parse_condition(text) for text in conditions] or _usual(corpus)
    return Prepared(corpus, make_plan(corpus, chosen, seed), spec, seed)


def carry_out(
    prepared: Prepared, store: Store, workers: Workers, progress: Progress, command: str
) -> Report:
    """Do what isn't done yet, then put the report together."""
    run(prepared.parts, prepared.spec, store, workers, progress)
    corpus, plan, spec = prepared.corpus, prepared.plan, prepared.spec
    models = [Measurement(m, i, plan, store).result() for i, m in enumerate(spec.models)]
    skipped = [*corpus.skipped, *_skipped(plan, store)]
    if not any(model.miss_curves or model.false_accept_curves for model in models):
        reasons = "; ".join(f"{note.name}: {note.text}" for note in skipped[:3])
        raise NothingMeasuredError(f"nothing of {corpus.name} could be measured. {reasons}")
    return Report(
        version=__version__,
        command=command,
        target=spec.target,
        corpus=corpus.name,
        seed=prepared.seed,
        method=[*_method(), *filter(None, [spec.method])],
        models=models,
        skipped=_notes(skipped),
        converted=_notes(corpus.converted),
    )


def _usual(corpus: Corpus) -> list[Condition]:
    conditions = [parse_condition(text) for text in DEFAULT_CONDITIONS]
    return [c for c in conditions if not c.noise or c.noise in corpus.kinds()]


def _skipped(plan: Plan, store: Store) -> list[Note]:
    clips = [note for part in plan.clips for note in store.clip(part).skipped]
    return clips + [note for part in plan.streams for note in store.stretch(part).skipped]


def _notes(notes: list[Note]) -> list[InputNote]:
    return [InputNote(name=note.name, text=note.text) for note in notes]


def _method() -> list[str]:
    """What a reader has to know to judge or repeat the figures."""
    return [
        f"Each clip is heard after {mix.LEAD_IN:g} s of lead-in and followed by {mix.TAIL:g} s; a "
        "wake before the clip begins doesn't count as detecting it.",
        "Noise at an SNR: the active speech level of the clip by ITU-T P.56 (method B, no band "
        "filter) over the RMS of the noise; the place in the noise is drawn by the seed.",
        "near and far: shoebox rooms by the image source method, 0.7 m and 3 m away.",
        f"Negatives are one long listening per kind, heard in stretches with {RUN_IN_SECONDS:g} s "
        "of the recording before as run-in; a wake less than "
        f"{REFRACTORY_HOPS / HOPS_PER_SECOND:g} s after a step above the cutoff belongs to it; the "
        f"first {WARMUP_HOPS / HOPS_PER_SECOND:g} s after switching on don't count.",
        "A model wakes when the sum of its last N outputs (0..255) exceeds cutoff * N: the rule "
        "of the device, in its whole numbers.",
        "Intervals are at 95 %: Clopper-Pearson for misses, exact Poisson (Garwood) for false "
        "accepts; where none was seen, the one-sided upper bound.",
        "Clips are taken as independent of each other; several by the same speaker make the true "
        "intervals wider.",
        "Latency is from the end of the word to the wake, counted in samples. The end of the word "
        "is that of the last 30 ms of the clean clip within 15.9 dB (P.56's margin) of its active "
        "level. What a device takes from the microphone to the light comes on top of it.",
    ]

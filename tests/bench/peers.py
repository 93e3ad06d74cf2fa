"""Other wake-word engines on the same recordings, measured in the same way.

    pip install 'bluering[validate,peers]'
    python -m tests.bench.peers --corpus ../shared/corpus/dev

Each peer is an engine of `bluering validate`: the same clips, noises, stretches and curves. Peers
that aren't installed are named and left out. openWakeWord's last release that carries its models
is 0.4.0. pocketsphinx tells detections, not scores: it has one operating point for each threshold
that it is run with. --hours takes so many hours of the negatives, the same for all engines.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from bluering.samples import Samples
from bluering.sound_files import HOP, RATE, stream
from bluering.validate.choose import choose_model
from bluering.validate.corpus import Corpus
from bluering.validate.engines import EngineSpec, ModelSpec, Probabilities, engine_spec, open_engine
from bluering.validate.plan import Plan
from bluering.validate.progress import Bar
from bluering.validate.report.schema import Misses, ModelResult
from bluering.validate.runner import Here, Processes
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store
from tests.peers import peer
from tests.some_hours import some_hours

WORD = "alexa"
_TIMED_SECONDS = 300.0
_MODULE = "tests.bench.peers"  # also when it is run as a program
_SPHINX_THRESHOLDS = (1e-30, 1e-15)


class PymicroWakeword:
    """pymicro-wakeword's own loop, its model and front end, all at their defaults."""

    strides: tuple[int, ...] = (3,)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

        word = MicroWakeWord.from_builtin(Model(WORD))
        features = MicroWakeWordFeatures()
        means = []
        for block in blocks:
            for row in features.process_streaming(block.tobytes()):
                mean = word.process_streaming_prob(row)
                if not word._features:  # a step ran: this is not the answer to a row in between
                    means.append(mean or 0.0)
        return [_scaled(means)]


class OpenWakeWord:
    """openWakeWord's predict on its own 80 ms frames."""

    strides: tuple[int, ...] = (8,)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        openwakeword = import_module("openwakeword")
        model_class = import_module("openwakeword.model").Model

        paths = [p for p in openwakeword.get_pretrained_model_paths() if WORD in Path(p).name]
        model = model_class(wakeword_model_paths=paths)
        frames = _frames(blocks, 8 * HOP)
        return [_scaled([next(iter(model.predict(frame).values())) for frame in frames])]


class Pocketsphinx:
    """Keyphrase spotting; a detection is a score of 255 where it is reported."""

    strides: tuple[int, ...] = (3,)

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        decoder = import_module("pocketsphinx").Decoder(
            keyphrase=WORD, kws_threshold=self._threshold, lm=None, loglevel="FATAL"
        )
        decoder.start_utt()
        heard = []
        for frame in _frames(blocks, 3 * HOP):
            decoder.process_raw(frame.tobytes(), no_search=False, full_utt=False)
            detected = decoder.hyp() is not None
            heard.append(float(detected))
            if detected:
                decoder.end_utt()
                decoder.start_utt()
        decoder.end_utt()
        return [_scaled(heard)]


def open_pymicro(_: EngineSpec) -> PymicroWakeword:
    """For EngineSpec."""
    return PymicroWakeword()


def open_openwakeword(_: EngineSpec) -> OpenWakeWord:
    """For EngineSpec."""
    return OpenWakeWord()


def open_pocketsphinx(spec: EngineSpec) -> Pocketsphinx:
    """For EngineSpec, whose argument is the threshold."""
    return Pocketsphinx(float(spec.argument))


def contenders() -> tuple[list[EngineSpec], list[str]]:
    """What can run here, and the names of the packages that are missing."""
    ours, theirs = choose_model(WORD), choose_model(str(peer(WORD)))
    theirs = replace(theirs, name=f"{WORD} of pymicro-wakeword")
    found, missing = [engine_spec("reference", (model,)) for model in (ours, theirs)], []
    peers: list[tuple[str, str, Callable[..., object], int, str]] = [
        ("pymicro_wakeword", "pymicro-wakeword", open_pymicro, int(0.9 * 255), ""),
        ("openwakeword", "openWakeWord", open_openwakeword, int(0.5 * 255), ""),
        *(
            ("pocketsphinx", f"pocketsphinx {t:g}", open_pocketsphinx, 100, f"{t:g}")
            for t in _SPHINX_THRESHOLDS
        ),
    ]
    for package, name, opener, cutoff, argument in peers:
        if find_spec(package) is None:
            missing.append(package)
            continue
        model = ModelSpec(name, WORD, b"", "", Path(), "", cutoff, window=1)
        found.append(EngineSpec(name, f"{_MODULE}:{opener.__name__}", (model,), argument))
    return found, sorted(set(missing))


def processor_ms_per_second(spec: EngineSpec, corpus: Corpus) -> float:
    """Processor time of the engine per second of audio, decoding aside."""
    audio: list[Samples] = []
    for recording in corpus.recordings:
        if sum(map(len, audio)) >= _TIMED_SECONDS * RATE:
            break
        if not recording.positive:
            audio += list(stream(recording.path))
    engine = open_engine(spec)
    engine.listen(audio[:1])  # imports and loads what it needs
    start = time.process_time()
    engine.listen(audio)
    return (time.process_time() - start) * 1000 * RATE / sum(map(len, audio))


def _frames(blocks: Iterable[Samples], length: int) -> Iterable[Samples]:
    rest = np.zeros(0, np.int16)
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // length * length
        yield from rest[:whole].reshape(-1, length)
        rest = rest[whole:]


def _scaled(scores: list[float]) -> Probabilities:
    return np.clip(np.floor(np.array(scores) * 255), 0, 255).astype(np.uint8)


def _rows(result: ModelResult, milliseconds: float, conditions: list[str]) -> list[list[str]]:
    rows = []
    # Detections alone, without scores, can't be operated at another point.
    binary = {clip.scores[c] for clip in result.clips for c in clip.scores} <= {0, 255}
    for point in [result.shipped] if binary else result.points:
        if point.cutoff is None or point.overall is None:
            rows.append([result.name, point.name, "out of reach", *[""] * len(conditions), ""])
            continue
        misses = [point.condition(condition) for condition in conditions]
        shares = [_share(m) if m else "" for m in misses]
        low, high = point.overall.interval
        accepts = f"{point.overall.count}: {point.overall.per_hour:.2f}\n{low:.2f} to {high:.2f}"
        rows.append([result.name, point.name, accepts, *shares, f"{milliseconds:.2f}"])
    return rows


def _share(misses: Misses) -> str:
    low, high = misses.interval
    return f"{100 * misses.rate:.1f} %\n{100 * low:.1f} to {100 * high:.1f}"


def main(
    corpus: Annotated[Path, typer.Option(help="As for bluering validate.")],
    parts: Annotated[Path, typer.Option(help="Where finished parts are kept.")] = Path(
        "peers.parts"
    ),
    condition: Annotated[list[str] | None, typer.Option(help="As for validate.")] = None,
    hours: Annotated[float, typer.Option(help="Of negatives, for all engines.")] = math.inf,
    jobs: Annotated[int, typer.Option(help="Processes; the times are taken in one.")] = 1,
) -> None:
    """Print a table of all engines that can run here."""
    conditions = condition or ["clean", "tv@10", "ambient@10"]
    specs, missing = contenders()
    prepared = prepare(corpus, specs[0], conditions, seed=1)
    plan = Plan(prepared.plan.clips, some_hours(prepared.plan.streams, hours))
    heard = sum(part.seconds for part in plan.streams) / 3600
    table = Table(
        title=f"{WORD}, {len(plan.clips)} clips, {heard:.2f} h of negatives, 95 % intervals"
    )
    for column in ("engine", "at", "false accepts per h", *conditions, "ms per s of audio"):
        table.add_column(column)
    for spec in specs:
        milliseconds = processor_ms_per_second(spec, prepared.corpus)
        with Bar() as bar:
            workers = Processes(jobs) if jobs > 1 else Here()
            same = replace(prepared, spec=spec, plan=plan)
            report = carry_out(same, Store(parts, spec), workers, bar, "")
        for row in _rows(report.models[0], milliseconds, conditions):
            table.add_row(*row)
        table.add_section()
    console = Console()
    console.print(table)
    for package in missing:
        console.print(f"left out: {package} is not installed")


if __name__ == "__main__":
    typer.run(main)

"""The release gate: every model that ships must hold up to the figures committed beside it.

`make check` runs it, on the synthesised corpus and on the shared one where that is there.
"""

import json
import re
import shlex
from functools import lru_cache
from pathlib import Path

import pytest

from bluering.models.compiled import describe, parse_compiled, source_sha256
from bluering.models.packaged import packaged, packaged_names
from bluering.training.fit.net import BYTES_ALLOWED, MACS_ALLOWED
from bluering.validate.choose import choose_model
from bluering.validate.engines import engine_spec
from bluering.validate.gate import Check, gate
from bluering.validate.report.schema import OperatingPoint, Report, read_report
from bluering.validate.runner import Here, Processes, Workers
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store
from tests.peers import peer
from tests.silent import Silent

ROOT = Path(__file__).parents[2]
SYNTHESISED = Path(__file__).parent / "corpus"
_HERE, _TWO = Here(), Processes(2)

# Miss rates at no more than half a false accept per hour, on people.
GOALS = {
    "alexa": {"clean": 0.03, "ambient@10": 0.08, "tv@10": 0.10},
    "computer": {"clean": 0.06, "ambient@10": 0.15, "tv@10": 0.25},
}


def _paths(name: str) -> list[Path]:
    return sorted((ROOT / "models").rglob(name))


def _baselines(name: str) -> list[object]:
    return [pytest.param(p, id=str(p.parent.relative_to(ROOT / "models"))) for p in _paths(name)]


def _failures(baseline: Path, corpus: Path, workers: Workers, strict: bool) -> list[Check]:
    old = read_report(baseline)
    if old.corpus != corpus.name:
        pytest.skip(f"{baseline.parent.name} was evaluated on the corpus {old.corpus}")
    checks = gate(_heard(baseline.name, corpus, workers)[baseline], old, strict)
    assert len(checks) == len(_conditions(old)) + 1
    return [check for check in checks if check.failed]


@lru_cache
def _heard(name: str, corpus: Path, workers: Workers) -> dict[Path, Report]:
    """What all models with such a baseline make of its corpus. They hear it together, for most of
    the time goes into what they share: sound, noise, rooms and features."""
    reports = {path: read_report(path) for path in _paths(name)}
    old = {path: report for path, report in reports.items() if report.corpus == corpus.name}
    (seed,) = {report.seed for report in old.values()}
    conditions = dict.fromkeys(c for report in old.values() for c in _conditions(report))
    spec = engine_spec("reference", tuple(choose_model(_model(path)) for path in old))
    # Finished parts of this very code and corpus are kept from one run to the next.
    store = Store(ROOT / ".cache" / "validate", spec)
    new = carry_out(prepare(corpus, spec, [*conditions], seed), store, workers, Silent(), "")
    return {
        path: new.model_copy(update={"models": [model]})
        for path, model in zip(old, new.models, strict=True)
    }


def _conditions(report: Report) -> list[str]:
    return [curve.condition for curve in report.models[0].miss_curves]


def _model(baseline: Path) -> str:
    """The repository's own model; of models/peers, the package's of that name."""
    name = baseline.parent.name
    return str(peer(name) if _is_of_a_peer(baseline) else baseline.with_name(f"{name}.json"))


def _is_of_a_peer(baseline: Path) -> bool:
    return baseline.parents[1].name == "peers"


@pytest.mark.parametrize("baseline", _baselines("gate.json"))
def test_on_the_synthesised_corpus(baseline: Path) -> None:
    assert _failures(baseline, SYNTHESISED, _HERE, strict=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("baseline", _baselines("evaluation.json"))
def test_on_real_recordings(baseline: Path, dev_corpus: Path) -> None:
    assert _failures(baseline, dev_corpus, _TWO, strict=False) == []


@pytest.mark.parametrize("name", ["gate.json", "evaluation.json"])
def test_every_model_that_ships_has_figures_of_its_own(name: str) -> None:
    """Make them with the command that the other models' files name."""
    assert _baselines(name)
    for word in map(packaged, packaged_names()):
        report = read_report(word.source.with_name(name))
        digests = [measured.source_sha256 for measured in report.models]
        assert digests == [source_sha256(word.blob).hex()], word.name


@pytest.mark.parametrize("name", ["gate.json", "evaluation.json", "synthetic.json"])
def test_figures_come_from_commands_that_anybody_can_give(name: str) -> None:
    """None names a folder of the machine that measured, as of a cache elsewhere."""
    commands = [shlex.split(read_report(path).command) for path in _paths(name)]
    assert commands
    assert [word for words in commands for word in words if word.startswith(("/", "~"))] == []


def _at_half_an_hour(figures: Path) -> OperatingPoint:
    [measured] = read_report(figures).models
    [point] = [point for point in measured.points if point.name == "0.5 per hour"]
    assert point.overall
    assert point.overall.per_hour <= 0.5
    return point


@pytest.mark.parametrize("name", GOALS)
def test_what_ships_keeps_its_goals(name: str) -> None:
    point = _at_half_an_hour(ROOT / "models" / name / "evaluation.json")
    missed = {m.condition: m.rate for m in point.misses if m.condition in GOALS[name]}
    assert missed.keys() == GOALS[name].keys()
    assert {c: rate for c, rate in missed.items() if rate > GOALS[name][c]} == {}


@pytest.mark.parametrize("name", packaged_names())
def test_what_ships_fits(name: str) -> None:
    """What a word may take."""
    word = packaged(name)
    assert 0 < describe(parse_compiled(word.blob))["multiply_accumulates"] <= MACS_ALLOWED
    assert 0 < word.source.stat().st_size <= BYTES_ALLOWED


@pytest.mark.parametrize("name", packaged_names())
def test_what_ships_was_heard_by_voices_that_training_never_had(name: str) -> None:
    point = _at_half_an_hour(ROOT / "models" / name / "synthetic.json")
    assert min(misses.clips for misses in point.misses) >= 500


@pytest.mark.parametrize("lock", _baselines("lock*.json"))
def test_int8_is_as_near_to_float_as_it_must_be(lock: Path) -> None:
    measured = json.loads(lock.read_text(encoding="utf-8")).get("int8 against float")
    clips, largest = (measured["clips"], measured["largest"]) if measured else _by_card(lock.parent)
    assert clips >= 100
    assert largest <= 0.05


def _by_card(folder: Path) -> tuple[int, float]:
    """The clips and the largest difference, of a lock that is older than its entry for them."""
    said = re.findall(r"(\d+) clips: at most ([\d.]+);", (folder / "CARD.md").read_text("utf-8"))
    [(clips, largest)] = said
    return int(clips), float(largest)

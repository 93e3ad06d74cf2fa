"""The release gate: every model that ships must hold up to the figures committed beside it.

`make check` runs it, on the synthesised corpus and on the shared one where that is there.
"""

from pathlib import Path

import pytest

from bluering.models.cascade import source_sha256
from bluering.models.packaged import packaged, packaged_names
from bluering.validate.choose import choose_model
from bluering.validate.engines import engine_spec
from bluering.validate.gate import Check, gate
from bluering.validate.progress import Silent
from bluering.validate.report.schema import read_report
from bluering.validate.runner import Here, Processes, Workers
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store
from tests.peers import peer

ROOT = Path(__file__).parents[2]
SYNTHESISED = Path(__file__).parent / "corpus"


def _baselines(name: str) -> list[object]:
    models = ROOT / "models"
    paths = sorted(models.rglob(name))
    return [pytest.param(p, id=str(p.parent.relative_to(models))) for p in paths]


def _failures(baseline: Path, corpus: Path, workers: Workers, strict: bool) -> list[Check]:
    old = read_report(baseline)
    if old.corpus != corpus.name:
        pytest.skip(f"{baseline.parent.name} was evaluated on the corpus {old.corpus}")
    conditions = [curve.condition for curve in old.models[0].miss_curves]
    spec = engine_spec("reference", (choose_model(_model(baseline)),))
    prepared = prepare(corpus, spec, conditions, old.seed)
    # Finished parts of this very code and corpus are kept from one run to the next.
    store = Store(ROOT / ".cache" / "validate", spec)
    new = carry_out(prepared, store, workers, Silent(), "")
    checks = gate(new, old, strict)
    assert len(checks) == len(conditions) + 1
    return [check for check in checks if check.failed]


def _model(baseline: Path) -> str:
    """The repository's own model; of models/peers, the package's of that name."""
    name = baseline.parent.name
    return str(peer(name) if _is_of_a_peer(baseline) else baseline.with_name(f"{name}.json"))


def _is_of_a_peer(baseline: Path) -> bool:
    return baseline.parents[1].name == "peers"


@pytest.mark.parametrize("baseline", _baselines("gate.json"))
def test_on_the_synthesised_corpus(baseline: Path) -> None:
    assert _failures(baseline, SYNTHESISED, Here(), strict=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("baseline", _baselines("evaluation.json"))
def test_on_real_recordings(baseline: Path, dev_corpus: Path) -> None:
    assert _failures(baseline, dev_corpus, Processes(2), strict=False) == []


@pytest.mark.parametrize("name", ["gate.json", "evaluation.json"])
def test_every_model_that_ships_has_figures_of_its_own(name: str) -> None:
    """Make them with the command that the other models' files name."""
    assert _baselines(name)
    for word in map(packaged, packaged_names()):
        report = read_report(word.source.with_name(name))
        digests = [measured.source_sha256 for measured in report.models]
        assert digests == [source_sha256(word.blob).hex()], word.name

"""On real recordings the firmware gives the reference's scores, step by step."""

from pathlib import Path

import pytest

from bluering.validate.choose import choose_model
from bluering.validate.corpus import load_corpus
from bluering.validate.engines import EngineSpec, engine_spec
from bluering.validate.plan import Condition, Part, StreamPart, make_plan
from bluering.validate.runner import Processes, run
from bluering.validate.store import Store
from bluering.virtual.runtime import RuntimeMissingError, find_micropython
from tests.silent import Silent
from tests.some_hours import some_hours

ROOT = Path(__file__).parents[2]
_WORDS = {"alexa", "computer", "echo"}  # what is heard, whatever the model listens for


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("target", ["virtual", "virtual32"])
def test_no_score_differs(dev_corpus: Path, target: str) -> None:
    """Every clip, of other words too, and an hour of negatives of all kinds.

    pytest -m soak -s tests/parity/test_validate_engines.py
    """
    try:
        find_micropython(32 if target == "virtual32" else 64)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    models = (choose_model("alexa"),)
    plan = make_plan(load_corpus(dev_corpus, _WORDS), [Condition()], seed=1)
    parts = (*plan.clips, *some_hours(plan.streams, 1.0))
    firmware, reference = (_heard(parts, engine_spec(t, models)) for t in (target, "reference"))
    steps = 0
    for part in parts:
        ours, theirs = _traces(firmware, part), _traces(reference, part)
        assert ours == theirs, part
        steps += sum(map(len, ours))
    hours = sum(part.seconds for part in parts if isinstance(part, StreamPart)) / 3600
    print(f"{target}: {len(plan.clips)} clips, {hours:.2f} h, {steps} steps, none differs")
    assert len(plan.clips) >= 200
    assert hours >= 1


def _heard(parts: tuple[Part, ...], spec: EngineSpec) -> Store:
    """Half an hour's work for the firmware: kept, so that an interrupted run goes on."""
    store = Store(ROOT / ".cache" / "validate", spec)
    run(parts, spec, store, Processes(2), Silent())
    return store


def _traces(store: Store, part: Part) -> list[list[int]]:
    if isinstance(part, StreamPart):
        return [trace.probabilities.tolist() for trace in store.stretch(part).traces]
    by_condition = store.clip(part).traces
    return [trace.probabilities.tolist() for traces in by_condition.values() for trace in traces]

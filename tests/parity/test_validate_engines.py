"""On real recordings the firmware gives the reference's scores, step by step."""

from pathlib import Path

import pytest

from bluering.validate import device
from bluering.validate.choose import choose_model
from bluering.validate.engines import engine_spec, open_engine
from bluering.validate.hear import hear
from bluering.validate.plan import ClipPart, StreamPart
from bluering.validate.results import ClipResult, StreamResult, Trace
from bluering.validate.session import prepare
from bluering.virtual.runtime import RuntimeMissingError, find_micropython

_HOUR = 3600.0


@pytest.mark.soak
@pytest.mark.parametrize("target", ["virtual", "virtual32"])
def test_no_score_differs(dev_corpus: Path, target: str) -> None:
    """Every clip, clean and in noise, and an hour of negatives of all kinds."""
    try:
        find_micropython(32 if target == "virtual32" else 64)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    models = (choose_model("alexa"),)
    reference, firmware = (engine_spec(name, models) for name in ("reference", target))
    plan = prepare(dev_corpus, reference, ["clean", "tv@10"], seed=1).plan
    streams = _an_hour(plan.streams)
    clips = steps = 0
    try:
        for part in (*plan.clips, *streams):
            ours, theirs = (hear(part, open_engine(spec)) for spec in (firmware, reference))
            for a, b in zip(_traces(ours), _traces(theirs), strict=True):
                assert a.probabilities.tolist() == b.probabilities.tolist()
                steps += len(a.probabilities)
            clips += len(part.hearings) if isinstance(part, ClipPart) else 0
    finally:
        open_engine.cache_clear()
        device.close_devices()
    print(
        f"{target}: {clips} clips, {sum(s.seconds for s in streams):.0f} s of negatives, "
        f"{steps} steps, 0 differ"
    )
    assert clips >= 200
    assert sum(part.seconds for part in streams) >= _HOUR


def _an_hour(parts: tuple[StreamPart, ...]) -> list[StreamPart]:
    """Stretches of all kinds in turn until there is an hour."""
    turns: dict[str, int] = {}
    order = []
    for part in parts:
        turns[part.kind] = turns.get(part.kind, -1) + 1
        order.append((turns[part.kind], part))
    order.sort(key=lambda pair: pair[0])
    total = 0.0
    chosen = []
    for _, part in order:
        if total >= _HOUR:
            break
        total += part.seconds
        chosen.append(part)
    return chosen


def _traces(result: ClipResult | StreamResult) -> list[Trace]:
    if isinstance(result, ClipResult):
        return [trace for traces in result.traces.values() for trace in traces]
    return result.traces

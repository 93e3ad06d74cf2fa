"""Reports made by hand, for tests of what reads reports."""

import numpy as np

from bluering.validate.report.schema import (
    SHIPPED,
    ClipScores,
    FalseAccept,
    FalseAcceptCurve,
    FalseAccepts,
    MissCurve,
    Misses,
    ModelResult,
    OperatingPoint,
    Report,
)
from bluering.validate.scoring import misses

CUTOFF = 200


def report(
    scores: list[int],
    accepts: list[float],
    hours: float = 10.0,
    name: str = "beep",
    listening: str = "same",
    first_clip: int = 0,
) -> Report:
    """A report of one condition, one kind and one operating point."""
    clips = [
        ClipScores(id=f"{first_clip + i:03}", file="", level_db=-20.0, scores={"clean": score})
        for i, score in enumerate(scores)
    ]
    missed = misses(scores).tolist()
    counts = np.where(np.arange(256) <= CUTOFF, len(accepts), 0).tolist()
    figures = FalseAccepts(kind="tv", hours=hours, count=len(accepts))
    point = OperatingPoint(
        name=SHIPPED,
        cutoff=CUTOFF,
        misses=[Misses(condition="clean", clips=len(scores), missed=missed[CUTOFF], latency=None)],
        kinds=[figures],
        overall=figures.model_copy(update={"kind": "all"}),
        false_accepts=[
            FalseAccept(id="f", file="f.wav", kind="tv", seconds=s, score=CUTOFF + 1)
            for s in accepts
        ],
    )
    model = ModelResult(
        name=name,
        word="beep",
        source_sha256="0" * 64,
        cutoff=CUTOFF,
        window=5,
        points=[point],
        miss_curves=[MissCurve(condition="clean", clips=len(scores), missed=missed)],
        false_accept_curves=[
            FalseAcceptCurve(kind="tv", hours=hours, listening=listening, counts=counts)
        ],
        clips=clips,
    )
    return Report(
        version="0",
        command="",
        target="loud",
        corpus="c",
        seed=0,
        method=[],
        models=[model],
        skipped=[],
        converted=[],
    )


def clips(missed: int, of: int = 100) -> list[int]:
    return [CUTOFF] * missed + [CUTOFF + 1] * (of - missed)


SOME = [100.0 * i for i in range(5)]

"""From the finished parts to the report."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from bluering.sound_files import HOP, RATE
from bluering.validate.corpus import Recording
from bluering.validate.engines import ModelSpec
from bluering.validate.plan import Plan
from bluering.validate.report.schema import (
    SHIPPED,
    ClipScores,
    FalseAccept,
    FalseAcceptCurve,
    FalseAccepts,
    Latency,
    MissCurve,
    Misses,
    ModelResult,
    OperatingPoint,
)
from bluering.validate.results import ClipResult, StreamResult
from bluering.validate.scoring import (
    Scores,
    Wake,
    WakeCounter,
    WakeFinder,
    clip_score,
    first_wake,
    hop_scores,
    lowest_cutoff,
    misses,
)
from bluering.validate.slices import by_slice
from bluering.validate.store import Store

TARGETS_PER_HOUR = (0.1, 0.5, 2.0)
_LISTED = 1000  # false accepts per operating point; beyond, a list helps nobody


@dataclass(frozen=True)
class _Clip:
    """A positive that was heard, reduced to its scores."""

    result: ClipResult
    scores: dict[str, Scores]  # by condition


@dataclass(frozen=True)
class _Kind:
    """One kind of negatives, heard as one long listening."""

    curve: FalseAcceptCurve
    starts: list[int]  # samples of the listening where its recordings begin
    recordings: list[Recording]

    def false_accept(self, wake: Wake) -> FalseAccept:
        sample = wake.hop * HOP
        index = bisect_left(self.starts, sample) - 1
        file = self.recordings[index]
        return FalseAccept(
            id=file.id,
            file=file.name,
            kind=self.curve.kind,
            seconds=round((sample - self.starts[index]) / RATE, 2),
            score=wake.peak,
        )


class Measurement:
    """One model's figures, from stored parts that are read one at a time."""

    def __init__(self, model: ModelSpec, index: int, plan: Plan, store: Store) -> None:
        self._model = model
        self._index = index
        self._streams = plan.streams
        self._store = store
        results = [store.clip(part) for part in plan.clips if part.clip.label == model.word]
        self._clips = [self._reduced(result) for result in results if result.traces]
        self._conditions = list(dict.fromkeys(name for c in self._clips for name in c.scores))

    def result(self) -> ModelResult:
        """Everything that the report says of the model."""
        names = dict.fromkeys(part.kind for part in self._streams)
        kinds = [kind for kind in map(self._kind, names) if kind.curve.hours]
        cutoffs = dict(_cutoffs(self._model.cutoff, [kind.curve for kind in kinds]))
        accepts = self._false_accepts(kinds, {c for c in cutoffs.values() if c is not None})
        points = [
            OperatingPoint(name=name, cutoff=None)
            if cutoff is None
            else self._point(name, cutoff, kinds, accepts[cutoff])
            for name, cutoff in cutoffs.items()
        ]
        return ModelResult(
            name=self._model.name,
            word=self._model.word,
            source_sha256=self._model.source_sha256,
            cutoff=self._model.cutoff,
            window=self._model.window,
            points=points,
            miss_curves=[self._miss_curve(condition) for condition in self._conditions],
            false_accept_curves=[kind.curve for kind in kinds],
            clips=[_scores(clip) for clip in self._clips],
        )

    def _reduced(self, result: ClipResult) -> _Clip:
        scores = {}
        for condition, traces in result.traces.items():
            trace = traces[self._index]
            scores[condition] = hop_scores(trace, self._model.window, trace.last_hop)
        return _Clip(result, scores)

    def _heard_under(self, condition: str) -> list[_Clip]:
        return [clip for clip in self._clips if condition in clip.scores]

    def _miss_curve(self, condition: str) -> MissCurve:
        scores = [clip_score(clip.scores[condition]) for clip in self._heard_under(condition)]
        return MissCurve(condition=condition, clips=len(scores), missed=misses(scores).tolist())

    def _stretches(self, kind: str) -> Iterator[tuple[StreamResult, Scores]]:
        """The stretches of a kind in order, with their scores."""
        for part in self._streams:
            if part.kind == kind:
                result = self._store.stretch(part)
                trace = result.traces[self._index]
                yield result, hop_scores(trace, self._model.window, result.hops)

    def _kind(self, name: str) -> _Kind:
        counter = WakeCounter()
        starts: list[int] = []
        recordings: list[Recording] = []
        hops = 0
        for result, scores in self._stretches(name):
            counter.push(scores)
            starts += [hops * HOP + file.start for file in result.files]
            recordings += [file.recording for file in result.files]
            hops += result.hops
        curve = FalseAcceptCurve(
            kind=name,
            hours=hops * HOP / RATE / 3600,
            listening=sha256("".join(r.sha256 for r in recordings).encode()).hexdigest()[:16],
            counts=counter.counts.tolist(),
        )
        return _Kind(curve, starts, recordings)

    def _false_accepts(self, kinds: list[_Kind], cutoffs: set[int]) -> dict[int, list[FalseAccept]]:
        """By cutoff, hardest first."""
        found: dict[int, list[FalseAccept]] = {cutoff: [] for cutoff in cutoffs}
        for kind in kinds:
            finders = {cutoff: WakeFinder(cutoff) for cutoff in cutoffs}
            for _, scores in self._stretches(kind.curve.kind):
                for finder in finders.values():
                    finder.push(scores)
            for cutoff, finder in finders.items():
                found[cutoff] += map(kind.false_accept, finder.found)
        for accepts in found.values():
            accepts.sort(key=lambda accept: (-accept.score, accept.id, accept.seconds))
        return found

    def _point(
        self, name: str, cutoff: int, kinds: list[_Kind], accepts: list[FalseAccept]
    ) -> OperatingPoint:
        by_kind = [
            FalseAccepts(
                kind=kind.curve.kind, hours=kind.curve.hours, count=kind.curve.counts[cutoff]
            )
            for kind in kinds
        ]
        return OperatingPoint(
            name=name,
            cutoff=cutoff,
            misses=[self._misses(condition, cutoff) for condition in self._conditions],
            kinds=by_kind,
            overall=_overall(by_kind) if by_kind else None,
            false_accepts=accepts[:_LISTED],
        )

    def _misses(self, condition: str, cutoff: int) -> Misses:
        clips = self._heard_under(condition)
        wakes = [first_wake(clip.scores[condition], cutoff) for clip in clips]
        latencies = [
            round((hop * HOP - clip.result.word_end) * 1000 / RATE)
            for clip, hop in zip(clips, wakes, strict=True)
            if hop is not None
        ]
        sliced = [
            (clip.result.clip.slices, hop is None) for clip, hop in zip(clips, wakes, strict=True)
        ]
        return Misses(
            condition=condition,
            clips=len(clips),
            missed=wakes.count(None),
            latency=_latency(latencies) if latencies else None,
            slices=by_slice(sliced),
        )


def _scores(clip: _Clip) -> ClipScores:
    return ClipScores(
        id=clip.result.clip.id,
        file=clip.result.clip.name,
        level_db=round(clip.result.level_db, 1),
        scores={condition: clip_score(found) for condition, found in clip.scores.items()},
        slices=dict(clip.result.clip.slices),
    )


def _cutoffs(shipped: int, curves: list[FalseAcceptCurve]) -> Iterator[tuple[str, int | None]]:
    """The operating points and their cutoffs."""
    yield SHIPPED, shipped
    if curves:
        hours = sum(curve.hours for curve in curves)
        counts = np.sum([curve.counts for curve in curves], axis=0)
        for per_hour in TARGETS_PER_HOUR:
            yield f"{per_hour:g} per hour", lowest_cutoff(counts, hours, per_hour)


def _overall(kinds: list[FalseAccepts]) -> FalseAccepts:
    return FalseAccepts(
        kind="all", hours=sum(k.hours for k in kinds), count=sum(k.count for k in kinds)
    )


def _latency(each: list[int]) -> Latency:
    median, p95 = np.percentile(each, [50, 95])
    return Latency(median_ms=float(median), p95_ms=float(p95), each_ms=sorted(each))

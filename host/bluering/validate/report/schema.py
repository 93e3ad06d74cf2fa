"""What a report holds; the JSON file is exactly this."""

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, computed_field, model_validator

from bluering import files
from bluering.errors import BlueRingError
from bluering.validate.intervals import CONFIDENCE, Interval, clopper_pearson, poisson_rate

FORMAT = "bluering.validation/1"
SHIPPED = "manifest"  # the name of the operating point at the manifest's cutoff


class ReportError(BlueRingError):
    """A report that can't be read, or two that can't be held against each other."""


class _Record(BaseModel):
    """Rates and intervals are written for those who read the JSON, and computed anew here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_computed(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {k: v for k, v in content.items() if k not in cls.model_computed_fields}


class Latency(_Record):
    """From the end of the word to the wake; below zero when it woke before the end."""

    median_ms: float
    p95_ms: float
    each_ms: list[int]


class _Missed(_Record):
    clips: int
    missed: int

    @computed_field
    @property
    def rate(self) -> float:
        return self.missed / self.clips

    @computed_field
    @property
    def interval(self) -> Interval:
        return clopper_pearson(self.missed, self.clips)


class SliceMisses(_Missed):
    """Of the clips of one slice."""

    by: str  # what the clips are sliced by: speed, engine
    value: str  # which slice: slow, fast
    adjusted_p: float  # that it is no worse than the rest, for all slices of the condition at once

    @property
    def name(self) -> str:
        return f"{self.by} {self.value}"

    @property
    def real(self) -> bool:
        """Whether it is worse than the rest by more than chance explains."""
        return self.adjusted_p < 1 - CONFIDENCE


class Misses(_Missed):
    """Under one condition at one cutoff."""

    condition: str
    latency: Latency | None  # None when no clip was detected
    slices: list[SliceMisses] = []

    @computed_field
    @property
    def worst_slice(self) -> str | None:
        """Of the slices missed more often than all clips together, the one whose miss rate is the
        highest for sure: by the lower end of its interval."""
        worst = self.worst
        return worst.name if worst else None

    @property
    def worst(self) -> SliceMisses | None:
        worse = (s for s in self.slices if s.rate > self.rate)
        return max(worse, key=lambda s: (s.interval[0], s.rate), default=None)

    def slice(self, by: str, value: str) -> SliceMisses | None:
        return next((s for s in self.slices if (s.by, s.value) == (by, value)), None)


class FalseAccepts(_Record):
    """Of one kind of negatives, or of all, at one cutoff."""

    kind: str
    hours: float
    count: int

    @computed_field
    @property
    def per_hour(self) -> float:
        return self.count / self.hours

    @computed_field
    @property
    def interval(self) -> Interval:
        return poisson_rate(self.count, self.hours)


class FalseAccept(_Record):
    """One wake by mistake: in which recording, when, and how sure the model was."""

    id: str
    file: str
    kind: str
    seconds: float
    score: int  # it happens at cutoffs below this


class OperatingPoint(_Record):
    """All figures at one cutoff; without a cutoff the model can't be operated there."""

    name: str
    cutoff: int | None
    misses: list[Misses] = []
    kinds: list[FalseAccepts] = []
    overall: FalseAccepts | None = None  # None without negatives
    false_accepts: list[FalseAccept] = []  # hardest first

    def condition(self, name: str) -> Misses | None:
        return next((m for m in self.misses if m.condition == name), None)

    def figures(self, kind: str) -> FalseAccepts | None:
        """Of one kind, or of 'all'."""
        if kind == "all":
            return self.overall
        return next((k for k in self.kinds if k.kind == kind), None)


class ClipScores(_Record):
    """A positive and, by condition, its score: it is detected at the cutoffs below."""

    id: str
    file: str
    level_db: float
    scores: dict[str, int]
    slices: dict[str, str] = {}


class MissCurve(_Record):
    """Clips missed at the cutoffs 0..255 under one condition."""

    condition: str
    clips: int
    missed: list[int]


class FalseAcceptCurve(_Record):
    """Wakes by mistake at the cutoffs 0..255 in one kind of negatives."""

    kind: str
    hours: float
    listening: str  # equal for the same recordings in the same order
    counts: list[int]


class ModelResult(_Record):
    """Everything measured of one model."""

    name: str
    word: str
    source_sha256: str
    cutoff: int
    window: int
    points: list[OperatingPoint]
    miss_curves: list[MissCurve]
    false_accept_curves: list[FalseAcceptCurve]
    clips: list[ClipScores]

    @property
    def hours(self) -> float:
        return sum(curve.hours for curve in self.false_accept_curves)

    @property
    def shipped(self) -> OperatingPoint:
        """The operating point at the manifest's cutoff."""
        return next(point for point in self.points if point.name == SHIPPED)

    def point(self, name: str) -> OperatingPoint | None:
        return next((point for point in self.points if point.name == name), None)

    def listed_false_accepts(self) -> list[FalseAccept]:
        """Those of the operating point that has the most, hardest first."""
        return max((point.false_accepts for point in self.points), key=len)

    def false_accept_counts(self) -> list[int]:
        """Of all kinds together, at the cutoffs 0..255."""
        columns = zip(*(curve.counts for curve in self.false_accept_curves), strict=True)
        return [sum(column) for column in columns]


class InputNote(_Record):
    """An input that was left out, or converted, and why or how."""

    name: str
    text: str


class Report(_Record):
    """One run of `bluering validate`."""

    format: Literal["bluering.validation/1"] = FORMAT
    version: str
    command: str
    target: str
    corpus: str
    seed: int
    method: list[str]
    models: list[ModelResult]
    skipped: list[InputNote]
    converted: list[InputNote]


def without_names(report: Report) -> Report:
    """The same figures with recordings named by their contents' hash alone, for publishing."""
    bare = {"file": ""}
    models = [
        model.model_copy(
            update={
                "clips": [clip.model_copy(update={**bare, "slices": {}}) for clip in model.clips],
                "points": [
                    point.model_copy(
                        update={
                            "false_accepts": [
                                accept.model_copy(update=bare) for accept in point.false_accepts
                            ]
                        }
                    )
                    for point in model.points
                ],
            }
        )
        for model in report.models
    ]
    return report.model_copy(update={"models": models})


def write_report(report: Report, path: Path) -> None:
    """As JSON with a line for each list of numbers, so that two versions can be told apart."""
    text = json.dumps(report.model_dump(), indent=1, ensure_ascii=False)
    text = re.sub(r"\[[-+e\d.,\s]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    files.make_folder(path.parent)
    files.write(path, text + "\n")


def read_report(path: Path) -> Report:
    """ReportError when it isn't there or isn't a report."""
    try:
        return Report.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"the report {path} can't be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ReportError(
            f"{path} is no report of bluering validate ({place}: {first['msg']})",
            "give the .json that validate wrote",
        ) from error

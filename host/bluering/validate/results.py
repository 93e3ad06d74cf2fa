"""What hearing a part gives: plain data, stored and sent between processes."""

from dataclasses import dataclass

from bluering.validate.corpus import Note, Recording
from bluering.validate.engines import Probabilities


@dataclass(frozen=True)
class Trace:
    """What one model said. Time is in hops from where counting begins; the step k ends at hop
    `first_hop + k * stride`, and steps up to hop `count_from` are only heard, not counted."""

    probabilities: Probabilities
    first_hop: int
    stride: int
    count_from: int

    @property
    def last_hop(self) -> int:
        """Where the last step ends."""
        return self.first_hop + self.stride * (len(self.probabilities) - 1)


@dataclass(frozen=True)
class HeardFile:
    """A recording of a stretch and the sample of the stretch where it begins."""

    recording: Recording
    start: int


@dataclass(frozen=True)
class ClipResult:
    """Traces by condition, then by model; time counts from the first sample of the clip."""

    clip: Recording
    word_end: int  # samples
    level_db: float  # active speech level of the recording itself, dBov
    traces: dict[str, list[Trace]]
    skipped: list[Note]


@dataclass(frozen=True)
class StreamResult:
    """Traces by model; time counts from the first sample of the stretch."""

    kind: str
    files: list[HeardFile]
    hops: int  # counted
    traces: list[Trace]
    skipped: list[Note]


PartResult = ClipResult | StreamResult

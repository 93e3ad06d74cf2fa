"""The parts of a measurement: each independent of the others, so that any worker can do any part.

A part is a clip under all conditions, or a stretch of the long listening of one kind of negatives.
"""

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bluering.errors import BlueRingError
from bluering.sound_files import RATE
from bluering.validate.corpus import Corpus, Recording
from bluering.validate.mix import LEAD_IN, TAIL
from bluering.validate.rooms import ROOMS

STRETCH_SECONDS = 600.0  # of negatives in a part; a longer file is a part of its own
RUN_IN_SECONDS = 10.0  # of the stretch before, heard first and not counted
_CANDIDATES = 8  # stretches of noise to choose from when the first ones are pauses
DEFAULT_CONDITIONS = ("clean", "tv@10", "tv@5", "ambient@10", "ambient@5", "near", "far")


class ConditionError(BlueRingError):
    """A condition that can't be read or that this corpus has no noise for."""


@dataclass(frozen=True)
class Condition:
    """How a clip is heard: in which room, over which noise."""

    room: str = ""  # near, far or none
    noise: str = ""  # a kind of negatives, or none
    snr_db: float = 0.0

    @property
    def name(self) -> str:
        noise = f"{self.noise}@{self.snr_db:g}" if self.noise else ""
        return "+".join(filter(None, (self.room, noise))) or "clean"


def parse_condition(text: str) -> Condition:
    """'clean', 'far', 'tv@10' or 'far+tv@5': a room, a kind of noise at an SNR in dB, or both."""
    if text == "clean":
        return Condition()
    match = re.fullmatch(
        r"(?P<room>near|far)?(\+?(?P<kind>[a-z0-9_]+)@(?P<snr>-?\d+(\.\d+)?))?", text
    )
    joined = match and bool(match["room"]) and bool(match["kind"])
    if not text or not match or joined != ("+" in text):
        raise ConditionError(
            f"the condition {text!r} can't be read: say clean, near, far, KIND@SNR (tv@10) "
            "or a room with noise (far+tv@5)"
        )
    return Condition(match["room"] or "", match["kind"] or "", float(match["snr"] or 0.0))


@dataclass(frozen=True)
class NoiseSource:
    """A stretch of a recording to mix in."""

    recording: Recording
    start: float  # seconds


@dataclass(frozen=True)
class Hearing:
    """One condition for one clip, with everything random about it already drawn."""

    condition: Condition
    room: int
    noises: tuple[NoiseSource, ...]  # in this order, until one isn't a pause
    seed: int  # of the quiet noise


@dataclass(frozen=True)
class ClipPart:
    """One positive under all conditions."""

    clip: Recording
    hearings: tuple[Hearing, ...]

    @property
    def seconds(self) -> float:
        return len(self.hearings) * (LEAD_IN + self.clip.seconds + TAIL)


@dataclass(frozen=True)
class StreamPart:
    """A stretch of the long listening of one kind, and the recording heard before it."""

    kind: str
    files: tuple[Recording, ...]
    run_in: Recording | None

    @property
    def seconds(self) -> float:
        return sum(file.seconds for file in self.files)


Part = ClipPart | StreamPart


@dataclass(frozen=True)
class Plan:
    """Every part, in the order in which their results are put together."""

    clips: tuple[ClipPart, ...]
    streams: tuple[StreamPart, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.clips + self.streams


def make_plan(corpus: Corpus, conditions: list[Condition], seed: int) -> Plan:
    """Split a corpus into parts. The same corpus, conditions and seed give the same parts."""
    negatives = [r for r in corpus.recordings if not r.positive]
    pools = {kind: list(group) for kind, group in _by_kind(negatives)}
    for condition in conditions:
        if condition.noise and condition.noise not in pools:
            raise ConditionError(
                f"the condition {condition.name} needs noise of the kind {condition.noise}, "
                f"and this corpus has {', '.join(pools) or 'no negatives at all'}"
            )
    clips = tuple(
        ClipPart(r, tuple(_hearing(r, condition, pools, seed) for condition in conditions))
        for r in corpus.recordings
        if r.positive
    )
    streams = itertools.chain.from_iterable(_stretches(k, pool) for k, pool in pools.items())
    return Plan(clips, tuple(streams))


def _by_kind(negatives: list[Recording]) -> Iterator[tuple[str, list[Recording]]]:
    for kind in dict.fromkeys(r.label for r in negatives):
        yield kind, [r for r in negatives if r.label == kind]


def _stretches(kind: str, files: Iterable[Recording]) -> Iterator[StreamPart]:
    stretch: list[Recording] = []
    run_in = before = None
    for file in files:
        if stretch and sum(f.seconds for f in stretch) + file.seconds > STRETCH_SECONDS:
            yield StreamPart(kind, tuple(stretch), run_in)
            stretch, run_in = [], before
        stretch.append(file)
        before = file
    if stretch:
        yield StreamPart(kind, tuple(stretch), run_in)


def _hearing(
    clip: Recording, condition: Condition, pools: dict[str, list[Recording]], seed: int
) -> Hearing:
    # From contents alone, so that order, names and other inputs don't change what is drawn. The
    # room and the place in the noise are the clip's own: conditions differ in one thing at a time.
    own = np.random.default_rng(_digest(seed, clip.sha256))
    noises: tuple[NoiseSource, ...] = ()
    if condition.noise:
        generator = np.random.default_rng(_digest(seed, clip.sha256, condition.noise))
        length = LEAD_IN + clip.seconds + TAIL + 1.0
        noises = tuple(_noises(pools[condition.noise], length, generator))
    room = int(own.integers(ROOMS))
    return Hearing(condition, room, noises, int(own.integers(2**63)))


def _noises(
    pool: list[Recording], length: float, generator: np.random.Generator
) -> Iterator[NoiseSource]:
    """Places in the noise, each second of the pool as likely as any other."""
    pool = sorted((r for r in pool if r.seconds >= length), key=lambda r: r.sha256)
    if not pool:
        return
    room_left = np.array([r.seconds - length for r in pool]) + 1.0
    for index in generator.choice(len(pool), _CANDIDATES, p=room_left / room_left.sum()):
        start = float(generator.uniform(0.0, pool[index].seconds - length))
        yield NoiseSource(pool[index], round(start * RATE) / RATE)


def _digest(*values: object) -> int:
    text = "\n".join(map(str, values))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")

"""The second look at a wake: the model again, on the half second before the wake and what follows.

Half a second holds the end of a word, and a model that hears only that says no: it waits for the
beginning. So the model is first led in by the features of the beginning as a synthetic voice speaks
it, and then hears the recording's own sound. The front end, which on the device has long adapted to
the room, is warmed with that sound before. What comes out is lower than for a whole word, so that a
second look has a cutoff of its own; it lies in a file beside the model (``NAME.look.json``), chosen
by ``make`` on recordings of the word.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bluering.models.compiled import source_sha256
from bluering.models.errors import ModelError
from bluering.models.frontend import FrontEnd
from bluering.models.packaged import CompiledWord
from bluering.models.reference import Reference
from bluering.samples import Samples
from ear.audio.format import CHANNELS, HOP, RATE, WINDOW
from ear.privacy.preroll import HOPS as BEFORE_HOPS
from ear.spotter.detector import REFRACTORY_HOPS, Detector

AFTER_HOPS = 30  # of what follows the wake: the end of the word's last sound
HOPS = BEFORE_HOPS + AFTER_HOPS
_LEAD_ROWS = 120
_WARMING = 3  # times that the front end hears the sound before it counts
_STRADDLING = WINDOW // HOP - 1  # rows whose window begins in the warming
_FIRST_ROW = WINDOW // HOP  # hops that make the first row
_QUIET, _AFTER = 3 * RATE, 3 * RATE // 2  # samples around a clip
_PACKAGED = Path(__file__).with_name("looks")
SUFFIX = ".look.json"

Rows = NDArray[np.uint8]


class Look(BaseModel):
    """What a model needs for a second look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]  # of the model's source
    cutoff: Annotated[int, Field(ge=0, le=255)]  # the highest sliding mean must exceed it
    confirmed: str  # on what the cutoff was chosen, and what it confirms there
    lead: Annotated[str, Field(pattern="^([0-9a-f]{80})*$")]  # rows of 40 features in hex

    def rows(self) -> Rows:
        """The lead, (n, 40), int8 + 128."""
        return np.frombuffer(bytes.fromhex(self.lead), np.uint8).reshape(-1, CHANNELS)


@dataclass(frozen=True)
class Examiner:
    """A model that looks a second time. Not safe to use from several threads."""

    model: Reference
    window: int
    look: Look

    def score(self, sound: Samples) -> float:
        """The highest sliding mean, 0..255, over ``HOPS`` hops around a wake."""
        frontend = FrontEnd()
        frontend.push(np.tile(sound, _WARMING))
        features = frontend.push(sound)[_STRADDLING:]
        self.model.reset()
        self.model.push(self.look.rows())
        outputs = self.model.push(features).astype(float)
        return float(np.convolve(outputs, np.full(self.window, 1 / self.window), "valid").max())

    def confirms(self, sound: Samples) -> bool:
        """Whether this was the word."""
        return self.score(sound) > self.look.cutoff


def examiner(word: CompiledWord, look: Look | None = None) -> Examiner:
    """A word's examiner, with the look beside its manifest unless one is given.

    Raises ModelError when it has none, or another model's.
    """
    look = look or find_look(word)
    sha256 = source_sha256(word.blob).hex()
    if look.model_sha256 != sha256:
        raise ModelError(
            f"the second look of '{word.name}' was made for another version of its model",
            "make it anew with 'bluering model second-look'",
        )
    return Examiner(Reference(word.blob), word.manifest.window, look)


def find_look(word: CompiledWord) -> Look:
    """The look beside a word's model, or the one that comes with this program."""
    for folder in (word.source.parent, _PACKAGED):
        path = folder / (word.name + SUFFIX)
        if path.is_file():
            return read_look(path)
    raise ModelError(
        f"'{word.name}' has no second look: there is no {word.name}{SUFFIX} beside its model",
        "'bluering model second-look' makes one",
    )


def read_look(path: Path) -> Look:
    """A look in a file. Raises ModelError."""
    try:
        return Look.model_validate_json(path.read_text())
    except (OSError, ValidationError, ValueError) as error:
        raise ModelError(f"{path} can't be used: {error}") from error


def wakes(word: CompiledWord, sound: Samples, cutoff: int | None = None) -> list[int]:
    """The hops (from 1) at which a device that listens to this would wake."""
    model = Reference(word.blob)
    detector = Detector(
        word.manifest.cutoff if cutoff is None else cutoff,
        word.manifest.window,
        model.stride,
        REFRACTORY_HOPS,
    )
    outputs = model.push(FrontEnd().push(sound))
    return [
        model.stride * (step + 1) + _FIRST_ROW - 1
        for step, output in enumerate(outputs)
        if detector.step(int(output))
    ]


def around(sound: Samples, hop: int) -> Samples:
    """What a second look hears of a wake at a hop."""
    return sound[(hop - BEFORE_HOPS) * HOP : (hop + AFTER_HOPS) * HOP]


def first_wake(
    word: CompiledWord, clip: Samples, noise: float = 5.0, cutoff: int | None = None
) -> Samples | None:
    """What a second look hears when a clip is played in a quiet room; None if it wakes nothing.

    ``noise``: the room's, RMS in int16 steps.
    """
    sound = in_a_room(clip, noise)
    hop = _first_wake(word, sound, cutoff)
    return None if hop is None else around(sound, hop)


def in_a_room(clip: Samples, noise: float = 5.0) -> Samples:
    """A clip with quiet before and after it."""
    room = np.random.default_rng(1)
    sound = room.normal(0, noise, _QUIET + len(clip) + _AFTER)
    sound[_QUIET : _QUIET + len(clip)] += clip
    return np.clip(sound, -32768, 32767).astype(np.int16)


def _first_wake(word: CompiledWord, sound: Samples, cutoff: int | None = None) -> int | None:
    found = (hop for hop in wakes(word, sound, cutoff) if hop * HOP > _QUIET)
    return next(found, None)


def lead_of(word: CompiledWord, call: Samples) -> Rows:
    """The features of a call up to half a second before it wakes the device."""
    sound = in_a_room(call)
    hop = _first_wake(word, sound)
    if hop is None:
        raise ModelError(f"the call doesn't wake '{word.name}', so it can't lead in to one")
    end = hop - BEFORE_HOPS - _FIRST_ROW + 1
    return FrontEnd().push(sound)[end - _LEAD_ROWS : end]


def make(word: CompiledWord, call: Samples, clips: Iterable[Samples], confirm: float) -> Look:
    """A look whose cutoff confirms at least the share ``confirm`` of the clips that wake."""
    sha256 = source_sha256(word.blob).hex()
    draft = Look(model_sha256=sha256, cutoff=0, confirmed="", lead=_hex(lead_of(word, call)))
    looking = examiner(word, draft)
    scores = sorted(looking.score(heard) for heard in _heard(word, clips))
    if not scores:
        raise ModelError(f"none of the recordings wakes '{word.name}': no cutoff can be chosen")
    cutoff = _below(scores, confirm)
    share = sum(score > cutoff for score in scores) / len(scores)
    confirmed = f"{share:.1%} of {len(scores)} wakes"
    return draft.model_copy(update={"cutoff": cutoff, "confirmed": confirmed})


def _heard(word: CompiledWord, clips: Iterable[Samples]) -> Iterator[Samples]:
    for clip in clips:
        heard = first_wake(word, clip)
        if heard is not None:
            yield heard


def _below(scores: list[float], share: float) -> int:
    """The highest cutoff that so large a share of the sorted scores exceeds."""
    lowest = scores[int(len(scores) * (1 - share) + 1e-9)]
    return max(0, int(np.ceil(lowest)) - 1)


def _hex(rows: Rows) -> str:
    return rows.tobytes().hex()


def dump(look: Look) -> str:
    """A look as its file's text."""
    return json.dumps(look.model_dump(), indent=1) + "\n"

"""A board that hears by its microphone what a loudspeaker of this computer plays.

Nothing ties the board's time to the loudspeaker's but the moments at which its scores arrive. The
one that was under way the shortest tells how the two relate: the lower envelope, as in NTP's
choice of the sample with the least delay (RFC 5905, clock filter).
"""

import json
import math
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.audio import SoundError, sound_card
from bluering.link import Disconnected, Received, wire
from bluering.link.records import Scores, Telemetry
from bluering.link.wire import HEALTH_HOPS
from bluering.samples import Samples
from bluering.sound_files import FIRST_FEATURES, HOP, RATE
from bluering.validate.device import connected, place_of, words_of
from bluering.validate.engines import EngineSpec, ModelSpec, Probabilities, TargetError

_CHUNK = RATE // 20  # samples between two looks at the link
_TAIL = RATE // 2  # samples of silence after the recording, for what is still on its way
_PATIENCE_SECONDS = 5.0  # without a score
_LONGEST_GAP_HOPS = 25  # between two scores; a wake takes longer


class AcousticEngine:
    """An Engine of a loudspeaker and a board that is on all the time.

    It isn't switched on anew: what it heard before is followed by the lead-in of the next
    recording, which is longer than a model remembers.
    """

    def __init__(
        self, link: wire.Link, sounddevice: Any, speaker: str, models: tuple[ModelSpec, ...]
    ) -> None:
        """TargetError when the device doesn't answer or hasn't got the models."""
        self._link = link
        self._sounddevice = sounddevice
        self._speaker = int(speaker) if speaker.isdigit() else speaker or None
        words = words_of(link)
        self._places = [place_of(words, model) for model in models]
        self.strides: tuple[int, ...] = tuple(words[place].stride for place in self._places)

    def listen(self, blocks: Iterable[Samples]) -> list[Probabilities]:
        """As Engine.listen; SoundError when it can't be played, TargetError when the board
        doesn't tell its scores all along."""
        while self._link.poll(0.0):
            pass  # what was said since the last recording
        self._link.send(Telemetry(1, HEALTH_HOPS))
        heard = _Heard()
        try:
            samples = self._play(blocks, heard)
        except self._sounddevice.PortAudioError as error:
            raise SoundError(
                f"can't play through the loudspeaker: {error}. 'python -m sounddevice' lists "
                "those that are there; --speaker chooses one"
            ) from error
        return heard.outputs(samples // HOP, self._places, self.strides)

    def _play(self, blocks: Iterable[Samples], heard: "_Heard") -> int:
        """Play to the end, taking what the board says meanwhile; how many samples there were."""
        samples = 0
        with self._sounddevice.OutputStream(
            samplerate=RATE, channels=1, dtype="int16", device=self._speaker, latency="low"
        ) as stream:
            heard.begin = stream.time + stream.latency
            for chunk in _chunks(blocks):
                stream.write(chunk.reshape(-1, 1))
                samples += len(chunk)
                self._take(stream, heard, 0.0)
            self._drain(stream, heard, samples)
        return samples

    def _drain(self, stream: Any, heard: "_Heard", samples: int) -> None:
        stream.write(np.zeros((_TAIL, 1), np.int16))
        patient_until = time.monotonic() + _PATIENCE_SECONDS
        while heard.hops() < samples // HOP:
            if self._take(stream, heard, 0.05):
                patient_until = time.monotonic() + _PATIENCE_SECONDS
            elif time.monotonic() > patient_until:
                raise TargetError(
                    "the board tells no scores any more: is it muted, or its link overloaded? "
                    "'bluering monitor' shows it"
                )

    def _take(self, stream: Any, heard: "_Heard", timeout: float) -> bool:
        """What the board said since the last look; whether there was a score."""
        before = len(heard.positions)
        for event in self._link.poll(timeout):
            if isinstance(event, Disconnected):
                raise TargetError(f"the board was unplugged: {event.reason}")
            if isinstance(event, Received) and isinstance(event.message, Scores):
                heard.add(event.message, stream.time)
        return len(heard.positions) > before


class _Heard:
    """The scores of one recording and when they came, by the loudspeaker's clock."""

    def __init__(self) -> None:
        self.begin = 0.0  # seconds, when the first sample sounds
        self.positions: list[int] = []  # hops of the board
        self._probabilities: list[bytes] = []
        self._offset = math.inf  # seconds from the board's time to the loudspeaker's

    def add(self, scores: Scores, now: float) -> None:
        if self.positions and scores.position < self.positions[-1]:
            raise TargetError("the board restarted in the middle of the recording")
        self.positions.append(scores.position)
        self._probabilities.append(scores.probabilities)
        self._offset = min(self._offset, now - scores.position * HOP / RATE)

    def hops(self) -> int:
        """How far the board has heard, from the recording's first hop."""
        return self._place(self.positions[-1]) if self.positions else 0

    def _place(self, position: int) -> int:
        return position + round((self._offset - self.begin) * RATE / HOP)

    def outputs(
        self, hops: int, places: list[int], strides: tuple[int, ...]
    ) -> list[Probabilities]:
        """Each model's newest output at the end of each of its steps."""
        ends = np.array([self._place(position) for position in self.positions])
        self._check(ends, hops)
        return [
            self._of_one(ends, place, np.arange(FIRST_FEATURES + stride, hops + 1, stride))
            for place, stride in zip(places, strides, strict=True)
        ]

    def _of_one(
        self, ends: NDArray[np.int64], place: int, steps: NDArray[np.int64]
    ) -> Probabilities:
        told = np.array([probabilities[place] for probabilities in self._probabilities], np.uint8)
        newest = np.searchsorted(ends, steps, "right") - 1
        return np.where(newest < 0, 0, told[np.maximum(newest, 0)]).astype(np.uint8)

    def _check(self, ends: NDArray[np.int64], hops: int) -> None:
        within = np.concatenate([[0], ends[(ends > 0) & (ends < hops)], [hops]])
        longest = int(np.diff(within).max())
        if longest > _LONGEST_GAP_HOPS:
            raise TargetError(
                f"the board told no scores for {longest * HOP / RATE:.2f} s of the recording: is "
                "it muted, or its link too slow for all of them? 'bluering monitor' shows it"
            )


def _chunks(blocks: Iterable[Samples]) -> Iterator[Samples]:
    for block in blocks:
        yield from (block[at : at + _CHUNK] for at in range(0, len(block), _CHUNK))


def open_acoustic(spec: EngineSpec) -> AcousticEngine:
    """For EngineSpec: the argument is JSON, the port and the loudspeaker. SoundError without
    sounddevice or PortAudio."""
    port, speaker = json.loads(spec.argument)
    sounddevice = sound_card()
    return AcousticEngine(connected(port), sounddevice, speaker, spec.models)

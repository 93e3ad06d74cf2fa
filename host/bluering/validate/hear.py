"""Do one part: let an engine hear it, and say what of it couldn't be heard."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from bluering.sound_files import (
    FIRST_FEATURES,
    HOP,
    RATE,
    AudioError,
    Samples,
    is_silent,
    peak_of,
    read,
    stream,
)
from bluering.validate.corpus import Note, Recording
from bluering.validate.engines import Engine
from bluering.validate.mix import LEAD_IN, in_room, noise_gain, placed, quiet, to_int16
from bluering.validate.plan import RUN_IN_SECONDS, ClipPart, Hearing, Part, StreamPart
from bluering.validate.results import ClipResult, HeardFile, PartResult, StreamResult, Trace
from bluering.validate.rooms import impulse_response
from bluering.validate.speech_level import active_speech_level, word_end
from ear.spotter.detector import WARMUP_HOPS

_LONGEST_CLIP = 60.0  # seconds


def hear(part: Part, engine: Engine) -> PartResult:
    """Hear one part with a freshly switched-on device."""
    if isinstance(part, ClipPart):
        return _hear_clip(part, engine)
    return _hear_stretch(part, engine)


def _hear_clip(part: ClipPart, engine: Engine) -> ClipResult:
    clip = part.clip
    try:
        samples = _usable_clip(clip)
    except AudioError as error:
        return ClipResult(clip, 0, 0.0, {}, [Note(clip.name, str(error))])
    level = active_speech_level(samples)
    if level is None:
        note = Note(clip.name, "no active speech is found in it (ITU-T P.56)")
        return ClipResult(clip, 0, 0.0, {}, [note])
    traces: dict[str, list[Trace]] = {}
    skipped: list[Note] = []
    lead_hops = round(LEAD_IN * RATE) // HOP
    for hearing in part.hearings:
        try:
            audio = render(samples, hearing)
        except AudioError as error:
            skipped.append(Note(f"{clip.name} ({hearing.condition.name})", str(error)))
            continue
        traces[hearing.condition.name] = _listen(engine, [audio], lead_hops, 0)
    return ClipResult(clip, word_end(samples, level), level.level_db, traces, skipped)


def render(clip: Samples, hearing: Hearing) -> Samples:
    """The clip as the microphone hears it under one condition."""
    speech = placed(clip)
    if hearing.condition.room:
        speech = in_room(speech, impulse_response(hearing.room, hearing.condition.room))
    heard = speech + quiet(len(speech), np.random.default_rng(hearing.seed))
    if hearing.condition.noise:
        noise, gain = _noise(hearing, speech)
        heard += gain * noise
    return to_int16(heard)


def _noise(hearing: Hearing, speech: np.ndarray) -> tuple[Samples, float]:
    for source in hearing.noises:
        try:
            noise = _stretch_of_noise(source.recording.path, source.start, len(speech) / RATE)
        except AudioError:
            continue  # it is named as a damaged negative where the negatives are heard
        if len(noise) == len(speech):
            gain = noise_gain(speech, noise, hearing.condition.snr_db)
            if gain is not None:
                return noise, gain
    raise AudioError(
        f"no stretch of {hearing.condition.noise} noise is long and loud enough for it"
    )


@lru_cache(maxsize=4)  # the same at every SNR
def _stretch_of_noise(path: Path, start: float, seconds: float) -> Samples:
    return read(path, start, seconds)


def _usable_clip(clip: Recording) -> Samples:
    if clip.seconds > _LONGEST_CLIP:
        raise AudioError(f"{clip.seconds:.0f} s is no clip of one word (60 s at most)")
    samples = read(clip.path)
    if is_silent(peak_of(samples)):
        raise AudioError("it is silent")
    return samples


def _hear_stretch(part: StreamPart, engine: Engine) -> StreamResult:
    """Hear a stretch; a file that turns out damaged or silent is left out and the rest heard
    anew, so that what is counted is one listening without it."""
    files, run_in = list(part.files), part.run_in
    skipped: list[Note] = []
    while True:
        try:
            feed = _Feed(files, run_in)
            run_in_hops = feed.run_in_hops()
            count_from = 0 if run_in_hops else WARMUP_HOPS
            traces = _listen(engine, feed.blocks(), run_in_hops, count_from)
            break
        except _RunInError:
            run_in = None
        except _FileError as error:
            files.remove(error.recording)
            skipped.append(Note(error.recording.name, str(error)))
    return StreamResult(part.kind, feed.heard, feed.samples // HOP, traces, skipped)


class _RunInError(Exception):
    pass


class _FileError(Exception):
    def __init__(self, recording: Recording, reason: object) -> None:
        super().__init__(str(reason))
        self.recording = recording


class _Feed:
    """The audio of a stretch: the end of the recording before it, then its files."""

    def __init__(self, files: list[Recording], run_in: Recording | None) -> None:
        self._files = files
        self._run_in = self._run_in_audio(run_in) if run_in else np.zeros(0, np.int16)
        self.heard: list[HeardFile] = []
        self.samples = 0

    @staticmethod
    def _run_in_audio(before: Recording) -> Samples:
        try:
            audio = read(before.path, max(0.0, before.seconds - RUN_IN_SECONDS))
        except AudioError as error:
            raise _RunInError from error
        return audio[len(audio) % HOP :]

    def run_in_hops(self) -> int:
        return len(self._run_in) // HOP

    def blocks(self) -> Iterator[Samples]:
        if len(self._run_in):
            yield self._run_in
        for file in self._files:
            self.heard.append(HeardFile(file, self.samples))
            yield from self._file(file)

    def _file(self, file: Recording) -> Iterator[Samples]:
        peak = 0
        try:
            for block in stream(file.path):
                peak = max(peak, peak_of(block))
                self.samples += len(block)
                yield block
        except AudioError as error:
            raise _FileError(file, error) from error
        if is_silent(peak):
            raise _FileError(file, "it is silent")


def _listen(
    engine: Engine, blocks: Iterable[Samples], before_hops: int, count_from: int
) -> list[Trace]:
    outputs = engine.listen(blocks)
    return [
        Trace(output, FIRST_FEATURES + stride - before_hops, stride, count_from)
        for output, stride in zip(outputs, engine.strides, strict=True)
    ]

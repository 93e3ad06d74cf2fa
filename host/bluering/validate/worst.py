"""The recordings of what went wrong: false accepts cut out, and the worst cases for the page."""

from collections.abc import Iterator
from pathlib import Path

from bluering import files
from bluering.samples import Samples
from bluering.sound_files import AudioError, encoded, read
from bluering.validate.corpus import Recording, slug
from bluering.validate.hear import render
from bluering.validate.plan import ClipPart
from bluering.validate.report.media import Case
from bluering.validate.report.schema import FalseAccept, ModelResult
from bluering.validate.session import Prepared

_BEFORE, _AFTER = 2.5, 0.5  # seconds around a wake


def save_false_accepts(prepared: Prepared, models: list[ModelResult], folder: Path) -> int:
    """Cut out every listed false accept as a WAV file, hardest first; how many there are."""
    files.make_folder(folder)
    saved = 0
    for model in models:
        for rank, accept in enumerate(model.listed_false_accepts(), 1):
            name = (
                f"{slug(model.name)}_{rank:03}_score{accept.score}_{accept.kind}_{accept.id}"
                f"_{accept.seconds:.2f}s.wav"
            )
            files.write(folder / name, encoded(_around(prepared, accept), "WAV"))
            saved += 1
    return saved


def worst_cases(prepared: Prepared, models: list[ModelResult], most: int) -> list[Case]:
    """For each model the hardest false accepts and the most clearly missed clips."""
    cases = []
    for model in models:
        for accept in model.listed_false_accepts()[:most]:
            title = f"{model.name} woke: {accept.kind}, {accept.file}, {accept.seconds:.1f} s, "
            cases.append(Case(f"{title}score {accept.score}", _around(prepared, accept)))
        cases += list(_missed(prepared, model))[:most]
    return cases


def _around(prepared: Prepared, accept: FalseAccept) -> Samples:
    recording = _by_id(prepared, accept.id)
    start = max(0.0, accept.seconds - _BEFORE)
    try:
        return read(recording.path, start, accept.seconds + _AFTER - start)
    except AudioError as error:
        raise AudioError(f"{recording.name} can no longer be read: {error}") from error


def _by_id(prepared: Prepared, id_: str) -> Recording:
    return next(r for r in prepared.corpus.recordings if r.id == id_)


def _missed(prepared: Prepared, model: ModelResult) -> Iterator[Case]:
    missed = sorted(
        (score, clip.id, condition)
        for clip in model.clips
        for condition, score in clip.scores.items()
        if score <= model.cutoff
    )
    parts = {part.clip.id: part for part in prepared.plan.clips}
    for score, id_, condition in missed:
        yield Case(
            f"{model.name} missed: {condition}, {parts[id_].clip.name}, score {score}",
            _rendered(parts[id_], condition),
        )


def _rendered(part: ClipPart, condition: str) -> Samples:
    hearing = next(h for h in part.hearings if h.condition.name == condition)
    return render(read(part.clip.path), hearing)

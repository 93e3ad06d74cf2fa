"""What comes out of review: labels, scores, counts; sound only of clips that the owner granted.

A granted clip comes with its features too, as the device's model gets them. Features of clips that
weren't granted stay in the vault: 40 of them every 10 ms can be turned back into speech that is
understood. So do transcripts: they are what people said. The ids in the files are made for this one
export.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from bluering import files
from bluering.models.frontend import FrontEnd
from bluering.review.desk import Act, Desk, new_id
from bluering.review.errors import ReviewError
from bluering.review.labels import FALSE, verdict_of
from bluering.review.models import DONE, Clip, FalseWake, Grant, Label
from bluering.review.sampling import eligible
from bluering.review.witness import CONSOLE
from bluering.vault.models import Recording, Wake
from bluering.vault.sound import to_wav


@dataclass(frozen=True)
class Export:
    """How much was written."""

    labels: int
    false_wakes: int
    sounds: int


def export(desk: Desk, folder: Path) -> Export:
    """Write ``labels.jsonl``, ``false_wakes.json`` and what was granted into a new folder.

    Of a granted clip: ``ID.wav``, and ``ID.features.npy`` with its rows of 40 features (uint8,
    int8 + 128), one each 10 ms. Raises ReviewError when the folder is there, VaultError when a
    sound is damaged; then nothing is written.
    """
    if folder.exists():
        raise ReviewError(f"{folder} exists already", "name a new folder")
    with files.making(folder) as aside:
        with desk.act() as act:
            clips = _done(act)
            false = act.session.scalars(select(FalseWake)).all()
            granted = [clip for clip in clips if clip.granted]
            act.log(CONSOLE, "export labels", labels=len(clips), false_wakes=len(false))
            for clip in granted:
                act.log(CONSOLE, "export sound", clip.recording.id, why="granted by the owner")
        _write(desk, aside, clips, false)
    return Export(len(clips), len(false), len(granted))


def _write(desk: Desk, folder: Path, clips: Sequence["_Done"], false: Sequence[FalseWake]) -> None:
    for clip in clips:
        if clip.granted:
            samples = desk.vault.samples(clip.recording)
            files.write_private(folder / f"{clip.name}.wav", to_wav(samples))
            with files.writing(folder / f"{clip.name}.features.npy", private=True) as file:
                np.save(file, FrontEnd().push(samples))
    facts = [clip.facts for clip in clips] + [_false_facts(wake) for wake in false]
    lines = "".join(json.dumps(fact) + "\n" for fact in facts)
    files.write_private(folder / "labels.jsonl", lines)
    counts = {"by_cause": _count(false, "cause"), "by_noise": _count(false, "noise")}
    files.write_private(folder / "false_wakes.json", json.dumps(counts, indent=1))


@dataclass(frozen=True)
class _Done:
    name: str
    facts: dict[str, Any]
    recording: Recording
    granted: bool


def _done(act: Act) -> list[_Done]:
    """Clips that are done; false wakes among them are deleted and counted already."""
    query = (
        select(Clip, Recording, Wake, Grant)
        .join(Recording, Clip.recording_id == Recording.id)
        .join(Wake, Recording.wake_id == Wake.id)
        .join(Grant, Grant.recording_id == Recording.id, isouter=True)
        .where(Clip.state == DONE, eligible())
        .order_by(Clip.id)
    )
    found = []
    for clip, recording, wake, grant in act.session.execute(query).all():
        labels = act.session.scalars(select(Label).filter_by(clip_id=clip.id)).all()
        name, verdict = new_id(), verdict_of([label.verdict for label in labels])
        facts = {"id": name, "verdict": verdict, "noise": labels[0].noise, **_reason(wake)}
        found.append(_Done(name, facts, recording, grant is not None))
    return found


def _false_facts(wake: FalseWake) -> dict[str, Any]:
    return {"verdict": FALSE, "noise": wake.noise, "cause": wake.cause, **_reason(wake)}


def _reason(wake: Wake | FalseWake) -> dict[str, Any]:
    return {name: getattr(wake, name) for name in ("word", "model_sha256", "score", "cutoff")}


def _count(wakes: Sequence[FalseWake], field: str) -> dict[str, int]:
    return dict(Counter(getattr(wake, field) or "unknown" for wake in wakes).most_common())

"""What a reviewer does with the clip on the screen: label, flag or skip it.

Some clips are reviewed by two people, and so is one that the first was unsure about; if the two
disagree, a third decides. A false wake is counted, then its sound and its labels are deleted, at
the latest a day after it was first found (`close_overdue`).
"""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from bluering.review.assignments import REVIEW, held
from bluering.review.auth.logins import Visitor
from bluering.review.desk import Act, new_id
from bluering.review.errors import RefusedError
from bluering.review.models import (
    DISTRESS,
    DONE,
    OPEN,
    QUARANTINED,
    Assignment,
    Clip,
    FalseWake,
    Label,
)
from bluering.vault.models import Recording, Wake

REAL, FALSE, UNSURE = "real", "false", "unsure"
VERDICTS = {REAL: "The wake was real", FALSE: "It woke by mistake", UNSURE: "I can't tell"}
NOISES = ("none", "television", "music", "child", "silence", "other")
LOOK_ALIKES = {
    "alexa": ("a lexus", "alexis", "election", "alexander", "unlike a"),
    "computer": ("commuter", "compute her", "can pewter"),
    "echo": ("gecko", "ego", "a co"),
    "hey echo": ("say echo", "hey gecko", "hey ego"),
}
"""Suggestions for what sounded like the word."""

LONGEST_TRANSCRIPT = 1000
_CAUSE = re.compile(r"[\w' -]{0,40}")
_LATEST = timedelta(days=1)
_MOST_REVIEWERS = 3

LABELLED, SKIPPED = "labelled", "skipped"
_FLAGS = {QUARANTINED: "flag critical", DISTRESS: "flag distress"}


class GoneError(RefusedError):
    """The clip isn't this reviewer's, or no longer."""

    def __init__(self) -> None:
        super().__init__("This clip is no longer yours to review.")


@dataclass(frozen=True)
class Answer:
    """A reviewer's answer."""

    verdict: str
    cause: str
    noise: str
    transcript: str


def label(act: Act, visitor: Visitor, clip_id: str, answer: Answer) -> None:
    """Keep a reviewer's answer. Raises RefusedError."""
    clip, recording = _take(act, visitor, clip_id)
    if answer.verdict not in VERDICTS or answer.noise not in NOISES:
        raise RefusedError("Choose what woke it and what noise there is.")
    cause = " ".join(answer.cause.casefold().split())
    if not _CAUSE.fullmatch(cause) or len(answer.transcript) > LONGEST_TRANSCRIPT:
        raise RefusedError("What woke it may have 40 letters, the transcript 1,000.")
    _finish(act, visitor, clip, LABELLED)
    act.session.add(
        Label(
            clip_id=clip.id,
            account_id=visitor.account_id,
            verdict=answer.verdict,
            cause=cause if answer.verdict == FALSE else "",
            noise=answer.noise,
            transcript=act.seal.close(answer.transcript.encode(), transcript_place(clip)),
            made_at=act.now,
        )
    )
    act.log(visitor.pseudonym, "label", recording.id, why=REVIEW)
    act.session.flush()
    _settle(act, clip, recording)


def flag(act: Act, visitor: Visitor, clip_id: str, state: str) -> None:
    """From now on only the owner can hear it: QUARANTINED or DISTRESS. Raises GoneError."""
    clip, recording = _take(act, visitor, clip_id)
    clip.state = state
    _finish(act, visitor, clip, state)
    act.log(visitor.pseudonym, _FLAGS[state], recording.id, why=REVIEW)


def skip(act: Act, visitor: Visitor, clip_id: str) -> None:
    """Somebody else may have it. Raises GoneError."""
    clip, recording = _take(act, visitor, clip_id)
    _finish(act, visitor, clip, SKIPPED)
    act.log(visitor.pseudonym, "skip", recording.id, why=REVIEW)


def close_overdue(act: Act) -> None:
    """Delete false wakes whose second reviewer hasn't come within a day."""
    query = (
        select(Clip, Recording)
        .join(Recording, Clip.recording_id == Recording.id)
        .join(Label, Label.clip_id == Clip.id)
        .where(Clip.state == OPEN, Label.verdict == FALSE, Label.made_at < act.now - _LATEST)
        .distinct()
    )
    for clip, recording in act.session.execute(query).all():
        _count_and_delete(act, recording, _labels(act, clip))


def transcript_place(clip: Clip) -> str:
    """Where a transcript is sealed to."""
    return f"transcript {clip.id}"


def _take(act: Act, visitor: Visitor, clip_id: str) -> tuple[Clip, Recording]:
    work = held(act.session, visitor.account_id, clip_id)
    if work is None:
        raise GoneError
    return work.clip, work.recording


def _finish(act: Act, visitor: Visitor, clip: Clip, outcome: str) -> None:
    assignment = act.session.get_one(Assignment, (clip.id, visitor.account_id))
    assignment.outcome = outcome


def _labels(act: Act, clip: Clip) -> list[Label]:
    query = select(Label).filter_by(clip_id=clip.id).order_by(Label.made_at)
    return list(act.session.scalars(query))


def _settle(act: Act, clip: Clip, recording: Recording) -> None:
    """Ask for another opinion, or be done with the clip."""
    labels = _labels(act, clip)
    verdicts = [made.verdict for made in labels]
    if len(labels) == 2:
        act.count(f"pair {verdicts[0]} {verdicts[1]}")
    if len(labels) == 1 and verdicts[0] == UNSURE:
        clip.wanted = max(clip.wanted, 2)
    if len(labels) == 2 and verdicts[0] != verdicts[1]:
        clip.wanted = _MOST_REVIEWERS
    if len(labels) < clip.wanted:
        return
    clip.state = DONE
    act.session.flush()
    if verdict_of(verdicts) == FALSE:
        _count_and_delete(act, recording, labels)


def verdict_of(verdicts: list[str]) -> str:
    """The most frequent verdict; UNSURE when there is none."""
    [(first, count), *rest] = Counter(verdicts).most_common()
    return UNSURE if rest and rest[0][1] == count else first


def _count_and_delete(act: Act, recording: Recording, labels: list[Label]) -> None:
    wake = act.session.get(Wake, recording.wake_id) if recording.wake_id else None
    if wake is not None:
        wake.false_by = "review"
        reason = next(made for made in labels if made.verdict == FALSE)
        act.session.add(
            FalseWake(
                id=new_id(),
                word=wake.word,
                model_sha256=wake.model_sha256,
                score=wake.score,
                cutoff=wake.cutoff,
                cause=reason.cause,
                noise=reason.noise,
            )
        )
    act.session.flush()
    act.bury(recording, "system", "false wake")

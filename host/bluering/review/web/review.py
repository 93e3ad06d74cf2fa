"""Routes for reviewers: the clip on the screen, its sound, and what they say about it."""

from typing import Annotated

from fastapi import APIRouter, Form, Header
from starlette.responses import Response

from bluering.review import assignments, labels
from bluering.review.models import DISTRESS, QUARANTINED
from bluering.review.sampling import policy_of
from bluering.review.sound import for_ears
from bluering.review.web.render import page
from bluering.review.web.visit import (
    OWN_FORM,
    TEXT,
    ForbiddenError,
    Id,
    IdleReviewer,
    Reviewer,
    Text,
    TheDesk,
    go,
)
from bluering.vault.models import Wake

router = APIRouter()
_WHY_NONE = {
    assignments.CAP: "You have heard enough for this hour. Come back later.",
    assignments.EMPTY: "There is nothing to review now.",
    assignments.CLOSED: "The owner has switched review off.",
}


@router.get("/review")
def work_page(visitor: Reviewer, desk: TheDesk) -> Response:
    """One clip, or why there is none."""
    with desk.act() as act:
        labels.close_overdue(act)
        work = assignments.next_work(act, visitor)
        if isinstance(work, str):
            return page("no_work", visitor, reason=_WHY_NONE[work])
        wake_id = work.recording.wake_id
        wake = act.session.get(Wake, wake_id) if wake_id else None
    word = wake.word.replace("_", " ") if wake else ""
    return page(
        "review",
        visitor,
        clip_id=work.clip.id,
        word=word,
        verdicts=labels.VERDICTS,
        noises=labels.NOISES,
        look_alikes=labels.LOOK_ALIKES.get(word, ()),
        longest=labels.LONGEST_TRANSCRIPT,
    )


@router.get("/clips/{clip_id}/sound")
def sound(
    visitor: Reviewer, desk: TheDesk, clip_id: Id, x_review: Annotated[str, Header()] = ""
) -> Response:
    """The sound, for the page's script alone: a browser that is sent here gets nothing."""
    if x_review != "play":
        raise ForbiddenError
    with desk.act() as act:
        work = assignments.held(act.session, visitor.account_id, clip_id)
        outcome = "ok" if work else "refused"
        subject = work.recording.id if work else ""
        act.log(visitor.pseudonym, assignments.HEAR, subject, outcome, why=assignments.REVIEW)
        disguise = policy_of(act.session).disguise
    if work is None:
        raise ForbiddenError
    samples = desk.vault.samples(work.recording)
    return Response(for_ears(samples, disguise, work.clip.id), media_type="audio/wav")


@router.get("/clips/{clip_id}/status")
def status(visitor: IdleReviewer, desk: TheDesk, clip_id: Id) -> Response:
    """204 while the clip may stay on the screen."""
    with desk.reading() as session:
        if assignments.held(session, visitor.account_id, clip_id) is None:
            raise ForbiddenError
    return Response(status_code=204)


@router.post("/clips/{clip_id}/label", dependencies=OWN_FORM)
def label(
    visitor: Reviewer,
    desk: TheDesk,
    clip_id: Id,
    verdict: Text = "",
    noise: Text = "",
    cause: Text = "",
    transcript: Annotated[str, Form(max_length=4000, pattern=TEXT)] = "",
) -> Response:
    """Keep the answer and go on."""
    answer = labels.Answer(verdict, cause, noise, transcript)
    with desk.act() as act:
        labels.label(act, visitor, clip_id, answer)
    return go("/review")


@router.post("/clips/{clip_id}/critical", dependencies=OWN_FORM)
def critical(visitor: Reviewer, desk: TheDesk, clip_id: Id) -> Response:
    """Private facts: only the owner can hear it from now on."""
    with desk.act() as act:
        labels.flag(act, visitor, clip_id, QUARANTINED)
    return go("/review")


@router.post("/clips/{clip_id}/distress", dependencies=OWN_FORM)
def distress(visitor: Reviewer, desk: TheDesk, clip_id: Id) -> Response:
    """Somebody may be in danger: it goes to the owner."""
    with desk.act() as act:
        labels.flag(act, visitor, clip_id, DISTRESS)
    return go("/review")


@router.post("/clips/{clip_id}/skip", dependencies=OWN_FORM)
def skip(visitor: Reviewer, desk: TheDesk, clip_id: Id) -> Response:
    """Somebody else may have it."""
    with desk.act() as act:
        labels.skip(act, visitor, clip_id)
    return go("/review")

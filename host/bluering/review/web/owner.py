"""Routes for the owner: what was recorded, who heard it, consent, deletion, the rules."""

from typing import Annotated

from fastapi import APIRouter, Form, Header, Query
from starlette.responses import Response

from bluering.review import owner
from bluering.review.agreement import agreement
from bluering.review.labels import VERDICTS, transcript_place
from bluering.review.models import DISTRESS, QUARANTINED, Grant
from bluering.review.sampling import policy_of
from bluering.review.web.render import page
from bluering.review.web.visit import (
    OWN_FORM,
    SENSITIVE,
    ForbiddenError,
    Id,
    Text,
    TheDesk,
    TheOwner,
    go,
)
from bluering.vault.sound import to_wav

router = APIRouter()
_PER_PERCENT = 10_000
_OWNERS = "owner's page"
_FLAGGED = {
    DISTRESS: "A reviewer heard distress. Listen; if somebody is in danger, call the emergency "
    "number.",
    QUARANTINED: "A reviewer heard private facts. Nobody but you can hear it; delete it unless "
    "you need it.",
}


@router.get("/owner")
def overview(visitor: TheOwner, desk: TheDesk) -> Response:
    """What waits, the rules, the false wakes."""
    with desk.reading() as session:
        return page(
            "owner",
            visitor,
            seen=owner.overview(session),
            policy=policy_of(session),
            agreement=agreement(session),
        )


@router.post("/policy", dependencies=SENSITIVE)
def set_policy(
    visitor: TheOwner,
    desk: TheDesk,
    share: Annotated[float, Form(ge=0, le=1, allow_inf_nan=False)],
    hourly_cap: Annotated[int, Form(ge=0, le=1000)],
    second_share: Annotated[int, Form(ge=0, le=100)],
    open_: Annotated[bool, Form(alias="open")] = False,
    disguise: Annotated[bool, Form()] = False,
) -> Response:
    """Change the rules; the share is in percent."""
    with desk.act() as act:
        owner.set_policy(
            act,
            visitor.pseudonym,
            open=open_,
            share=round(share * _PER_PERCENT),
            hourly_cap=hourly_cap,
            second_share=second_share,
            disguise=disguise,
        )
    return go("/owner")


@router.post("/withdraw", dependencies=OWN_FORM)
def withdraw_all(visitor: TheOwner, desk: TheDesk) -> Response:
    """Ask for no code: to stop must be easy."""
    with desk.act() as act:
        owner.withdraw_all(act, visitor.pseudonym)
    return go("/owner")


@router.get("/recordings")
def recordings(
    visitor: TheOwner,
    desk: TheDesk,
    before: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
) -> Response:
    """The table."""
    with desk.act() as act:
        entries = owner.recordings(act.session, before)
        act.log(visitor.pseudonym, "list", why=_OWNERS)
    more = entries[-1].recording.id if len(entries) == owner.PAGE else None
    return page("recordings", visitor, entries=entries, more=more)


@router.get("/recordings/{recording_id}")
def recording(visitor: TheOwner, desk: TheDesk, recording_id: Id) -> Response:
    """One recording: every access, what was said about it, what can be done."""
    with desk.act() as act:
        entry = owner.entry(act.session, recording_id)
        act.log(visitor.pseudonym, "look", recording_id, why=_OWNERS)
        made = [
            (
                VERDICTS[row.verdict],
                row.cause,
                row.noise,
                act.seal.open(row.transcript, transcript_place(entry.clip)).decode(),
            )
            for row in owner.labels(act.session, entry.clip)
            if entry.clip
        ]
        return page(
            "recording",
            visitor,
            entry=entry,
            flagged=_FLAGGED.get(entry.clip.state if entry.clip else ""),
            accesses=owner.accesses(act.session, recording_id),
            labels=made,
            granted=act.session.get(Grant, recording_id) is not None,
        )


@router.get("/recordings/{recording_id}/sound")
def sound(
    visitor: TheOwner, desk: TheDesk, recording_id: Id, x_review: Annotated[str, Header()] = ""
) -> Response:
    """The owner may hear everything; that is on record, too."""
    if x_review != "play":
        raise ForbiddenError
    with desk.act() as act:
        row = owner.stored(act.session, recording_id)
        act.log(visitor.pseudonym, "hear", recording_id, why=_OWNERS)
    return Response(to_wav(desk.vault.samples(row)), media_type="audio/wav")


@router.post("/recordings/{recording_id}/settle", dependencies=OWN_FORM)
def settle(visitor: TheOwner, desk: TheDesk, recording_id: Id) -> Response:
    """A reviewer's flag was dealt with."""
    with desk.act() as act:
        owner.settle(act, visitor.pseudonym, recording_id)
    return go(f"/recordings/{recording_id}")


@router.post("/recordings/{recording_id}/withdraw", dependencies=OWN_FORM)
def withdraw(visitor: TheOwner, desk: TheDesk, recording_id: Id) -> Response:
    """Out of review at once."""
    with desk.act() as act:
        owner.withdraw(act, visitor.pseudonym, recording_id)
    return go(f"/recordings/{recording_id}")


@router.post("/recordings/{recording_id}/grant", dependencies=SENSITIVE)
def grant(visitor: TheOwner, desk: TheDesk, recording_id: Id, granted: Text = "") -> Response:
    """Whether its sound may leave with the labels."""
    with desk.act() as act:
        owner.grant(act, visitor.pseudonym, recording_id, granted == "yes")
    return go(f"/recordings/{recording_id}")


@router.post("/recordings/{recording_id}/delete", dependencies=SENSITIVE)
def delete(visitor: TheOwner, desk: TheDesk, recording_id: Id) -> Response:
    """For ever."""
    with desk.act() as act:
        owner.delete(act, visitor.pseudonym, recording_id)
    return go("/recordings")

"""Routes for the owner: who may review, and who may read the log."""

from fastapi import APIRouter
from sqlalchemy import select
from starlette.responses import Response

from bluering.review.auth import accounts
from bluering.review.errors import RefusedError
from bluering.review.models import AUDITOR, OWNER, REVIEWER, Account
from bluering.review.web.render import page
from bluering.review.web.visit import SENSITIVE, Id, Text, TheDesk, TheOwner, go

router = APIRouter(prefix="/people")
_ROLES = (REVIEWER, AUDITOR, OWNER)
"""As the form offers them: the one that is invited most often first."""


@router.get("")
def people(visitor: TheOwner, desk: TheDesk) -> Response:
    """Everybody, with their pseudonym."""
    return _people(visitor, desk, invitation="")


@router.post("", dependencies=SENSITIVE)
def invite(visitor: TheOwner, desk: TheDesk, name: Text = "", role: Text = "") -> Response:
    """A new account; its invitation is shown in this answer and never again."""
    with desk.act() as act:
        invitation = accounts.invite(act, visitor.pseudonym, name, role)
    return _people(visitor, desk, invitation)


@router.get("/{account_id}")
def person(visitor: TheOwner, desk: TheDesk, account_id: Id) -> Response:
    """One account, and what can be done with it."""
    with desk.reading() as session:
        found = session.get(Account, account_id)
    if found is None:
        raise RefusedError("There is no such account.")
    return page("person", visitor, person=found)


@router.post("/{account_id}/reset", dependencies=SENSITIVE)
def reset(visitor: TheOwner, desk: TheDesk, account_id: Id) -> Response:
    """For who has lost their phone: enrols anew."""
    with desk.act() as act:
        invitation = accounts.reset(act, visitor.pseudonym, account_id)
    return _people(visitor, desk, invitation)


@router.post("/{account_id}/disable", dependencies=SENSITIVE)
def disable(visitor: TheOwner, desk: TheDesk, account_id: Id) -> Response:
    """Signs them out everywhere."""
    with desk.act() as act:
        accounts.disable(act, visitor.pseudonym, account_id)
    return go("/people")


def _people(visitor: TheOwner, desk: TheDesk, invitation: str) -> Response:
    with desk.reading() as session:
        everybody = session.scalars(select(Account).order_by(Account.name)).all()
    return page("people", visitor, people=everybody, roles=_ROLES, invitation=invitation)

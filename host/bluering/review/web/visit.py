"""Who sent a request, and whether they may: what the routes depend on."""

from collections.abc import Callable
from typing import Annotated, Any, cast

from fastapi import Depends, Form, Path, Request
from starlette.responses import RedirectResponse, Response

from bluering.review.auth import logins, signin
from bluering.review.auth.logins import Visitor
from bluering.review.desk import Desk
from bluering.review.models import AUDITOR, OWNER, REVIEWER

COOKIE = "__Host-bluering-review"
HOMES = {OWNER: "/owner", REVIEWER: "/review", AUDITOR: "/audit"}

TEXT = r"^[^\x00]*$"
"""PostgreSQL keeps no NUL, and nobody types one."""
Text = Annotated[str, Form(max_length=256, pattern=TEXT)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class SignInNeededError(Exception):
    """Nobody is signed in."""


class ForbiddenError(Exception):
    """The visitor may not see this; they are told that there is nothing."""


def desk_of(request: Request) -> Desk:
    """The application's desk."""
    return cast(Desk, request.app.state.desk)


TheDesk = Annotated[Desk, Depends(desk_of)]


def visitor_of(request: Request, desk: TheDesk) -> Visitor | None:
    """Whose cookie came along."""
    return _visitor(request, desk, touch=True)


def _visitor(request: Request, desk: Desk, touch: bool) -> Visitor | None:
    token = request.cookies.get(COOKIE)
    return logins.find(desk, token, touch) if token else None


Anybody = Annotated[Visitor | None, Depends(visitor_of)]


def member(visitor: Anybody) -> Visitor:
    """Somebody who is fully signed in."""
    if visitor is None or visitor.enrolling:
        raise SignInNeededError
    return visitor


Member = Annotated[Visitor, Depends(member)]


def one_of(*roles: str) -> Callable[..., Visitor]:
    """A dependency on a role; who has another one is refused, on record."""

    def check(request: Request, visitor: Member, desk: TheDesk) -> Visitor:
        if visitor.role not in roles:
            with desk.act() as act:
                act.log(visitor.pseudonym, "wrong role", outcome="refused", method=request.method)
            raise ForbiddenError
        return visitor

    return check


def idle_reviewer(request: Request, desk: TheDesk) -> Visitor:
    """A reviewer whose page asks by itself: that keeps no login from going idle."""
    visitor = _visitor(request, desk, touch=False)
    if visitor is None or visitor.enrolling or visitor.role != REVIEWER:
        raise SignInNeededError
    return visitor


TheOwner = Annotated[Visitor, Depends(one_of(OWNER))]
Reviewer = Annotated[Visitor, Depends(one_of(REVIEWER))]
Reader = Annotated[Visitor, Depends(one_of(AUDITOR, OWNER))]
IdleReviewer = Annotated[Visitor, Depends(idle_reviewer)]


def own_form(visitor: Anybody, csrf: Text = "") -> None:
    """The form was made for this very login. Raises ForbiddenError."""
    if visitor is None:
        raise SignInNeededError
    if csrf != visitor.csrf:
        raise ForbiddenError


def fresh(visitor: Member, desk: TheDesk, code: Text = "") -> None:
    """A code was shown just now, in this form or shortly before. Raises RefusedError."""
    signin.freshen(desk, visitor, code)


OWN_FORM: list[Any] = [Depends(own_form)]
SENSITIVE: list[Any] = [*OWN_FORM, Depends(fresh)]


def address_of(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client else "unknown"


def go(place: str) -> RedirectResponse:
    """To a page, after a form."""
    return RedirectResponse(place, 303)


def give_cookie(response: Response, token: str) -> Response:
    """Sign this browser in."""
    response.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")
    return response


def take_cookie(response: Response) -> Response:
    """Sign this browser out."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    return response

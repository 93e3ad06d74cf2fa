"""Routes for everybody: signing in and out, enrolling, one's own account."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from bluering.review.auth import accounts, signin
from bluering.review.auth.passwords import LONGEST, SHORTEST
from bluering.review.errors import RefusedError
from bluering.review.web.render import page
from bluering.review.web.visit import (
    HOMES,
    OWN_FORM,
    SENSITIVE,
    Anybody,
    Member,
    SignInNeededError,
    Text,
    TheDesk,
    address_of,
    give_cookie,
    go,
    take_cookie,
)

router = APIRouter()
_LENGTHS = {"shortest": SHORTEST, "longest": LONGEST}


@router.get("/")
def home(visitor: Anybody) -> Response:
    """To where the visitor's work is."""
    return go("/sign-in" if visitor is None or visitor.enrolling else HOMES[visitor.role])


@router.get("/sign-in")
def sign_in_page() -> Response:
    """The form."""
    return page("sign_in", None, problem="")


@router.post("/sign-in")
def sign_in(
    request: Request, desk: TheDesk, name: Text = "", password: Text = "", code: Text = ""
) -> Response:
    """Password and code together; whatever cookie came along is worth nothing here."""
    try:
        token = signin.sign_in(desk, name, password, code, address_of(request))
    except RefusedError as error:
        status = 429 if isinstance(error, signin.TooOftenError) else 403
        return page("sign_in", None, status, problem=str(error))
    return give_cookie(go("/"), token)


@router.post("/sign-out", dependencies=OWN_FORM)
def sign_out(visitor: Member, desk: TheDesk) -> Response:
    """End of this login."""
    signin.sign_out(desk, visitor)
    return take_cookie(go("/sign-in"))


@router.get("/enrol")
def enrol_page() -> Response:
    """Invitation and new password."""
    return page("enrol", None, problem="", **_LENGTHS)


@router.post("/enrol")
def choose_password(
    request: Request, desk: TheDesk, invitation: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """The first half of enrolment."""
    try:
        if password != again:
            raise RefusedError("The two passwords differ.")
        token = accounts.accept(desk, invitation, password, address_of(request))
    except RefusedError as error:
        return page("enrol", None, 403, problem=str(error), **_LENGTHS)
    return give_cookie(go("/enrol/code"), token)


@router.get("/enrol/code")
def enrol_code_page(visitor: Anybody, desk: TheDesk) -> Response:
    """The QR code."""
    return _code_page(visitor, desk, "", 200)


@router.post("/enrol/code", dependencies=OWN_FORM)
def enrol(visitor: Anybody, desk: TheDesk, code: Text = "") -> Response:
    """The second half; the recovery codes are shown in this answer and never again."""
    if visitor is None or not visitor.enrolling:
        raise SignInNeededError
    try:
        token, recovery = accounts.enrol(desk, visitor, code)
    except RefusedError as error:
        return _code_page(visitor, desk, str(error), 403)
    return give_cookie(page("recovery", None, codes=recovery), token)


@router.get("/account")
def account_page(visitor: Member) -> Response:
    """One's own account."""
    return page("account", visitor, **_LENGTHS)


@router.post("/account/password", dependencies=SENSITIVE)
def change_password(
    visitor: Member, desk: TheDesk, old: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Signs every other browser out."""
    if password != again:
        raise RefusedError("The two passwords differ.")
    return give_cookie(go("/"), accounts.change_password(desk, visitor, old, password))


@router.post("/account/recovery", dependencies=SENSITIVE)
def renew_recovery(visitor: Member, desk: TheDesk) -> Response:
    """New recovery codes, shown once."""
    return page("recovery", None, codes=accounts.renew_recovery_codes(desk, visitor))


def _code_page(visitor: Anybody, desk: TheDesk, problem: str, status: int) -> Response:
    if visitor is None or not visitor.enrolling:
        raise SignInNeededError
    secret, qr = accounts.enrolment(desk, visitor)
    return page("enrol_code", visitor, status, secret=secret, qr=qr, problem=problem)

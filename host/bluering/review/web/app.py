"""Puts the application together."""

import logging
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from bluering.review.audit.log import NOBODY
from bluering.review.auth.signin import TooOftenError
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError
from bluering.review.labels import GoneError
from bluering.review.web import account, audit, owner, people, review
from bluering.review.web.guard import Guard
from bluering.review.web.render import message
from bluering.review.web.visit import ForbiddenError, SignInNeededError, go, visitor_of
from bluering.vault.errors import VaultError

_NOTHING = "There is nothing here."
_log = logging.getLogger(__name__)


def make_app(desk: Desk, origin: str) -> FastAPI:
    """The application for one vault; ``origin`` is the address that browsers know it by."""
    app = FastAPI(title="BlueRing review", openapi_url=None)
    app.state.desk = desk
    for part in (account, review, owner, people, audit):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).with_name("static")))
    app.add_middleware(Guard, origin=origin)
    _explain_errors(app)
    return app


def _explain_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeededError)
    def sign_in_needed(request: Request, error: Exception) -> Response:
        del error
        if request.method == "GET" and request.headers.get("sec-fetch-dest") != "empty":
            return go("/sign-in")
        return message("Sign in first.", None, 401, "/sign-in")

    @app.exception_handler(RefusedError)
    def refused(request: Request, error: RefusedError) -> Response:
        if isinstance(error, GoneError):
            _note_refusal(request)
        status = 429 if isinstance(error, TooOftenError) else 409
        return _say(request, str(error), status)

    @app.exception_handler(RequestValidationError)
    def malformed(request: Request, error: Exception) -> Response:
        del error
        return _say(request, "Something in this form isn't as it should be.", 422)

    @app.exception_handler(ForbiddenError)
    def forbidden(request: Request, error: Exception) -> Response:
        del error
        return _say(request, _NOTHING, 403)

    @app.exception_handler(HTTPException)
    def nothing(request: Request, error: HTTPException) -> Response:
        return _say(request, _NOTHING, error.status_code)

    @app.exception_handler(VaultError)
    def damaged(request: Request, error: VaultError) -> Response:
        _log.error("%s", error)
        return _say(request, "This recording can't be read. Tell the owner.", 409)

    def _say(request: Request, text: str, status: int) -> Response:
        return message(text, visitor_of(request, desk_of_app(request)), status)

    def _note_refusal(request: Request) -> None:
        desk = desk_of_app(request)
        visitor = visitor_of(request, desk)
        with desk.act() as act:
            act.log(visitor.pseudonym if visitor else NOBODY, "other clip", outcome="refused")

    def desk_of_app(request: Request) -> Desk:
        return request.app.state.desk

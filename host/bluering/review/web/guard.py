"""What holds for every request, before any page: host, origin, size; and for every answer."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # "no-referrer" would take the forms' Origin away
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS = "max-age=31536000"
_CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


class Guard:
    """Wraps the application; ``origin`` is its public address, as ``https://review.example``."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin
        self._host = urlsplit(origin).netloc
        self._headers = dict(_HEADERS)
        if origin.startswith("https:"):
            self._headers["Strict-Transport-Security"] = _HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        reason, status = self._refuse(scope)
        if reason:
            await PlainTextResponse(reason, status)(scope, receive, send_guarded)
            return
        await self._app(scope, _limited(receive), send_guarded)

    def _refuse(self, scope: Scope) -> tuple[str, int]:
        headers = Headers(scope=scope)
        if headers.get("host") != self._host:
            return "there is nothing here", 421
        if scope["method"] in _CHANGING and headers.get("origin") != self._origin:
            return "this form came from another site", 403
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return "too large", 413
        return "", 0


def _limited(receive: Receive) -> Receive:
    size = 0

    async def receive_limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return receive_limited

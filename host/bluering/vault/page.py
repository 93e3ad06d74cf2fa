"""A small page for the owner: every recording with a play button and its spectrogram.

Served on this computer alone. Whoever wants to see it needs the random token in its address;
nothing is written to the disk, and the browser is told to keep nothing.
"""

import json
import secrets
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from markupsafe import Markup

from bluering.pages import templates
from bluering.vault import sound
from bluering.vault.errors import VaultError
from bluering.vault.models import STORED, Recording
from bluering.vault.vault import Vault
from ear.audio.format import RATE

_PAGES = Path(__file__).with_name("pages")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; "
    "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_WHY = "page"
"""Why a recording was accessed, on the log of a vault that is under review."""
_SHOWN = {
    "png": ("look", "image/png", sound.spectrogram_png),
    "wav": ("hear", "audio/wav", sound.to_wav),
}
"""By the end of the address: what it is on the log, its media type, what makes it."""


class Page:
    """The page's server; ``url`` is its address, token included."""

    def __init__(self, vault: Vault, port: int = 0) -> None:
        self._vault = vault
        self._lock = Lock()
        self._token = secrets.token_urlsafe(24)
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page._answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the address holds the token."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self._host}/{self._token}/"

    def serve(self) -> None:
        """Serve until ``stop`` is called from another thread, or Ctrl-C."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()

    def stop(self) -> None:
        """End ``serve``."""
        self._server.shutdown()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path).path.split("/")
        # Another name for this computer would let a foreign page in the browser read the answer.
        known = request.headers.get("Host") == self._host and len(parts) == 3
        if not known or not secrets.compare_digest(parts[1].encode(), self._token.encode()):
            _send(request, 404, "text/plain", b"there is nothing here")
            return
        try:
            kind, body = self._body(parts[2])
        except VaultError as error:
            _send(request, 404, "text/plain; charset=utf-8", str(error).encode())
            return
        _send(request, 200, kind, body)

    def _body(self, name: str) -> tuple[str, bytes]:
        with self._lock:
            if not name:
                self._vault.note("list", why=_WHY)
                return "text/html; charset=utf-8", _table(self._vault).encode()
            recording_id, _, kind = name.partition(".")
            if kind not in _SHOWN:
                raise VaultError("there is nothing here")
            action, media_type, render = _SHOWN[kind]
            recording = self._vault.find(recording_id)
            self._vault.note(action, recording.id, _WHY)
            return media_type, render(self._vault.samples(recording))


def _send(request: BaseHTTPRequestHandler, status: int, kind: str, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    for name, value in _HEADERS.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def _table(vault: Vault) -> str:
    entries = vault.list(tombstones=True)
    kept = sum(recording.state == STORED for recording, _ in entries)
    return _pages.get_template("recordings.html").render(entries=entries, kept=kept)


def _moment(moment: datetime, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return format(moment, form)


def _gaps(recording: Recording) -> list[str]:
    """What is missing of a recording, and where."""
    return [
        f"{count / RATE:.2f} s at {first / RATE:.2f} s"
        if count
        else f"all after {first / RATE:.2f} s"
        for first, count in json.loads(recording.gaps or "[]")
    ]


_pages = templates(
    _PAGES, RATE=RATE, STORED=STORED, style=Markup((_PAGES / "style.css").read_text())
)
_pages.filters |= {"moment": _moment, "gaps": _gaps}

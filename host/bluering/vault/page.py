"""A small page for the owner: every recording with a play button and its spectrogram.

Served on this computer alone. Whoever wants to see it needs the random token in its address;
nothing is written to the disk, and the browser is told to keep nothing.
"""

import html
import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import urlsplit

from bluering.vault import sound
from bluering.vault.errors import VaultError
from bluering.vault.models import STORED, Recording, Wake
from bluering.vault.vault import Vault
from ear.audio.format import RATE

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

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; background: Canvas;
  color: CanvasText; }
h1 { margin-bottom: 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem; border-bottom: 1px solid #8884; vertical-align: top;
  overflow-wrap: anywhere; }
td.sound { width: 22rem; }
img { display: block; height: 96px; width: 100%; image-rendering: pixelated; }
audio { display: block; width: 100%; margin-top: .25rem; }
.gap { color: light-dark(#b00020, #ff8a80); }
.gone { color: light-dark(#555, #aaa); }
@media (max-width: 45rem) { td, th { display: block; border: 0; padding: .1rem 0; }
  td.sound { width: auto; } td:empty { display: none; } thead { display: none; }
  tr { display: block; padding: 1rem 0; border-bottom: 1px solid #8884; } }
"""


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
    rows = "".join(_row(recording, wake) for recording, wake in entries)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>BlueRing: what was recorded</title><style>{_STYLE}</style><body>"
        f"<h1>What was recorded</h1><p>{kept} recordings, {len(entries) - kept} deleted ones.</p>"
        "<table><thead><tr><th>When (UTC)<th>Wake<th>Length<th>Sound<th>Kept</thead>"
        f"<tbody>{rows}</table></body></html>"
    )


def _row(recording: Recording, wake: Wake | None) -> str:
    reason = html.escape(wake.word) if wake else "?"
    if wake:
        reason += f"<br>score {wake.score}, cutoff {wake.cutoff}"
    if wake and wake.false_by:
        reason += f"<br>false, says the {html.escape(wake.false_by)}"
    if recording.state != STORED:
        when = wake.heard_at if wake else recording.deleted_at
        why = html.escape(recording.deleted_why or "")
        return (
            f"<tr class=gone><td>{when:%Y-%m-%d %H:%M:%S}<td>{reason}<td><td>"
            f"<td>deleted {recording.deleted_at:%Y-%m-%d %H:%M}: {why}"
        )
    seconds = (recording.samples or 0) / RATE
    return (
        f"<tr><td>{recording.received_at:%Y-%m-%d %H:%M:%S}<td>{reason}"
        f"<td>{seconds:.1f} s{_gaps(recording)}"
        f"<td class=sound>{_player(recording, seconds)}"
        f"<td>kept until {recording.delete_after:%Y-%m-%d}"
    )


def _player(recording: Recording, seconds: float) -> str:
    if not recording.samples:
        return "none"
    return (
        f"<img src='{recording.id}.png' alt='spectrogram of {seconds:.1f} s'>"
        f"<audio controls preload=none src='{recording.id}.wav' aria-label='play'></audio>"
    )


def _gaps(recording: Recording) -> str:
    """What is missing of a recording, and where."""
    if recording.complete:
        return ""
    gaps = [
        f"{count / RATE:.2f} s at {first / RATE:.2f} s"
        if count
        else f"all after {first / RATE:.2f} s"
        for first, count in json.loads(recording.gaps or "[]")
    ]
    return f"<br><span class=gap>incomplete, missing: {', '.join(gaps)}</span>"

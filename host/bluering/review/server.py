"""Serves the application: on this computer alone, or elsewhere through HTTPS."""

import logging
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import uvicorn

from bluering.review.desk import Desk
from bluering.review.errors import ReviewError
from bluering.review.labels import close_overdue
from bluering.review.web.app import make_app
from bluering.review.witness import put_on_record

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_PURGE_SECONDS = 3600
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where to listen, and what browsers call it."""

    host: str = "127.0.0.1"
    port: int = 8000
    origin: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    proxy: str | None = None

    @property
    def address(self) -> str:
        """The origin, or the obvious one."""
        scheme = "https" if self.certificate else "http"
        return (self.origin or f"{scheme}://{self.host}:{self.port}").rstrip("/")

    def check(self) -> None:
        """Raises ReviewError when passwords would travel in the clear."""
        if (self.certificate is None) != (self.key is None):
            raise ReviewError("HTTPS needs both --certificate and --key")
        if self.host not in _LOOPBACK and not (self.certificate or self.proxy):
            raise ReviewError(
                f"{self.host} is reachable from elsewhere",
                "give --certificate and --key, or --proxy if a proxy on this network ends HTTPS",
            )
        if self.proxy and not self.address.startswith("https://"):
            raise ReviewError("behind a proxy --origin must be its https:// address")


def config(desk: Desk, place: Place) -> uvicorn.Config:
    """Without a log of requests: what was accessed is on the record, which nobody else reads."""
    return uvicorn.Config(
        make_app(desk, place.address),
        host=place.host,
        port=place.port,
        ssl_certfile=place.certificate,
        ssl_keyfile=place.key,
        proxy_headers=place.proxy is not None,
        forwarded_allow_ips=place.proxy,
        access_log=False,
        server_header=False,
        log_level="warning",
        limit_concurrency=100,
        h11_max_incomplete_event_size=16 * 1024,
    )


def serve(desk: Desk, place: Place) -> None:
    """Until Ctrl-C; every hour ``tidy`` runs."""
    put_on_record(desk.vault)
    ended = Event()
    keeper = Thread(target=_keep, args=(desk, ended), daemon=True)
    keeper.start()
    try:
        uvicorn.Server(config(desk, place)).run()
    finally:
        ended.set()


def tidy(desk: Desk) -> None:
    """Delete what has outlived its retention, and false wakes that wait for nobody any more."""
    desk.vault.purge()
    with desk.act() as act:
        close_overdue(act)


def _keep(desk: Desk, ended: Event) -> None:
    while not ended.wait(_PURGE_SECONDS):
        try:
            tidy(desk)
        except Exception:  # the next hour tries again
            _log.exception("what has outlived its time could not be deleted")

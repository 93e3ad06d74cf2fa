"""Stock images over HTTP: fetched once, resumed, checked; nothing wrong takes the file's name."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bluering.flash import stock
from bluering.flash.errors import DownloadError

NAME = "ESP32_GENERIC_S3"
FILE = "ESP32_GENERIC_S3-20251209-v1.27.0.bin"
DATA = bytes(range(256)) * 1000


class Site:
    """An HTTP server with one image; ``requests`` are the ranges that were asked for."""

    def __init__(self) -> None:
        self.data = DATA
        self.ranges = True
        self.break_after: int | None = None
        self.status = 200
        self.requests: list[str | None] = []
        self.paths: list[str] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.requests.append(asked)
        self.paths.append(handler.path)
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = int(asked[6:-1]) if asked and self.ranges else 0
        if asked and self.ranges and start >= len(self.data):
            handler.send_error(416)
            return
        body = self.data[start:]
        handler.send_response(206 if asked and self.ranges else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.break_after is not None:
            body = body[: self.break_after]
            handler.close_connection = True
        handler.wfile.write(body)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setenv("BLUERING_FIRMWARE_SITE", f"http://127.0.0.1:{server.server_port}/fw/")
    monkeypatch.setenv("BLUERING_CACHE", str(tmp_path / "cache"))
    pin = stock.Pin("1.27.0", "20251209", hashlib.sha256(DATA).hexdigest())
    monkeypatch.setitem(stock.PINS, NAME, pin)
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def _cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_image_is_fetched_once(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = stock.fetch(NAME, lambda have, total: seen.append((have, total)))
    assert path.read_bytes() == DATA
    assert site.paths == [f"/fw/{FILE}"]
    assert seen[-1] == (len(DATA), len(DATA))
    assert [have for have, _ in seen] == sorted({have for have, _ in seen})
    assert stock.fetch(NAME) == path
    assert len(site.requests) == 1
    assert _cached(tmp_path) == [FILE]


def test_a_broken_download_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.break_after = 100_000
    with pytest.raises(DownloadError, match=r"broke after 100000 of 256000 bytes$") as caught:
        stock.fetch(NAME)
    assert caught.value.hint.startswith("run the same command again")
    assert _cached(tmp_path) == [FILE.replace(".bin", ".part")]
    site.break_after = None
    assert stock.fetch(NAME).read_bytes() == DATA
    assert site.requests == [None, "bytes=100000-"]
    assert _cached(tmp_path) == [FILE]


def test_a_server_without_ranges_sends_it_all_again(site: Site) -> None:
    site.break_after = 1000
    with pytest.raises(DownloadError):
        stock.fetch(NAME)
    site.break_after, site.ranges = None, False
    assert stock.fetch(NAME).read_bytes() == DATA


def test_a_download_that_broke_after_its_last_byte_is_used(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FILE.replace(".bin", ".part")).write_bytes(DATA)
    assert stock.fetch(NAME).read_bytes() == DATA
    assert site.requests == [f"bytes={len(DATA)}-"]


def test_an_altered_image_is_thrown_away(site: Site, tmp_path: Path) -> None:
    site.data = DATA[:-1] + b"!"
    with pytest.raises(DownloadError, match="altered or damaged"):
        stock.fetch(NAME)
    assert _cached(tmp_path) == []
    site.data = DATA
    assert stock.fetch(NAME).read_bytes() == DATA


def test_what_is_altered_in_the_cache_is_fetched_again(site: Site) -> None:
    path = stock.fetch(NAME)
    path.write_bytes(b"rotten")
    assert stock.fetch(NAME).read_bytes() == DATA
    assert len(site.requests) == 2


def test_the_known_beginning_of_a_hash_is_checked(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginning = hashlib.sha256(DATA).hexdigest()[:8]
    monkeypatch.setitem(stock.PINS, NAME, stock.Pin("1.27.0", "20251209", beginning))
    assert stock.fetch(NAME).read_bytes() == DATA
    site.data = b"other"
    stock.fetch(NAME).unlink()
    with pytest.raises(DownloadError, match=f"not {beginning}"):
        stock.fetch(NAME)


def test_a_missing_image_is_named(site: Site, tmp_path: Path) -> None:
    site.status = 404
    with pytest.raises(DownloadError, match=f"{FILE}: the server answers 404") as caught:
        stock.fetch(NAME)
    assert "--firmware" in caught.value.hint
    assert _cached(tmp_path) == []


def test_no_network_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BLUERING_CACHE", str(tmp_path))
    monkeypatch.setenv("BLUERING_FIRMWARE_SITE", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"refused$") as caught:
        stock.fetch(NAME)
    assert "run the same command again" in caught.value.hint
    assert "--firmware" in caught.value.hint


def test_an_image_without_a_known_hash_is_not_fetched(site: Site) -> None:
    with pytest.raises(DownloadError, match=r"no SHA-256 is known .*ESP32_GENERIC_S3-SPIRAM_OCT"):
        stock.fetch("ESP32_GENERIC_S3-SPIRAM_OCT")
    assert site.requests == []


def test_the_pinned_release_is_the_known_one() -> None:
    pin = stock.PINS[NAME]
    assert (pin.version, pin.date, pin.sha256[:8]) == ("1.27.0", "20251209", "f533115e")

"""Stock images over HTTP: fetched once, resumed, checked; nothing wrong takes the file's name."""

import hashlib
import io
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bluering.flash import download, firmware, stock
from bluering.flash.errors import DownloadError
from tests.targets.stock import stock_image

NAME = "ESP32_GENERIC_S3"
FILE = "ESP32_GENERIC_S3-20251209-v1.27.0.bin"
OCTAL = "ESP32_GENERIC_S3-SPIRAM_OCT"
OCTAL_FILE = "ESP32_GENERIC_S3-SPIRAM_OCT-20251209-v1.27.0.bin"
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
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.27.0"), hashlib.sha256(DATA).hexdigest())
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


def _cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "cache"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_image_is_fetched_once(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = stock.fetch(NAME, progress=lambda have, total: seen.append((have, total)))
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


@pytest.mark.usefixtures("site")
def test_the_beginning_of_a_hash_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    other = digest[:-1] + ("0" if digest[-1] != "0" else "1")
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.27.0"), other)
    with pytest.raises(DownloadError, match=f"came with SHA-256 {digest}, not {other}"):
        stock.fetch(NAME)
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.27.0"), digest[:8])
    with pytest.raises(DownloadError, match="altered or damaged"):
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


def test_an_image_without_a_known_hash_is_taken_and_said_so(site: Site, tmp_path: Path) -> None:
    site.data = stock_image()
    digest = hashlib.sha256(site.data).hexdigest()
    said: list[str] = []
    path = stock.fetch(OCTAL, tell=said.append)
    assert path.read_bytes() == site.data
    assert site.paths == [f"/fw/{OCTAL_FILE}"]
    (sentence,) = said
    assert f"no SHA-256 of {OCTAL_FILE} is known" in sentence
    assert "without TLS" in sentence
    assert digest in sentence
    assert (tmp_path / "cache" / f"{OCTAL_FILE}.sha256").read_text() == f"{digest}  {OCTAL_FILE}\n"
    assert stock.fetch(OCTAL, tell=said.append) == path
    assert (len(site.requests), len(said)) == (1, 1)


def test_tls_is_what_vouches_for_the_site_of_micropython(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sent(url: str, part: Path, _progress: object) -> None:
        assert url == f"https://micropython.org/resources/firmware/{OCTAL_FILE}"
        part.write_bytes(stock_image())

    monkeypatch.setenv("BLUERING_CACHE", str(tmp_path))
    monkeypatch.delenv("BLUERING_FIRMWARE_SITE", raising=False)
    monkeypatch.setattr("bluering.flash.download.to_file", sent)
    said: list[str] = []
    stock.fetch(OCTAL, tell=said.append)
    assert "as https://micropython.org/resources/firmware sent it over TLS" in said[0]


def test_a_site_that_leads_away_from_tls_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Led(io.BytesIO):
        url = "http://elsewhere/image.bin"
        status, length = 200, 7

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Led(b"no TLS!"))
    with pytest.raises(DownloadError, match=r"leads to http://elsewhere/image.bin, which TLS"):
        download.to_file("https://site/image.bin", tmp_path / "part", lambda *_: None)
    assert not (tmp_path / "part").exists()


def test_what_differs_from_its_first_download_is_refused_until_accepted(
    site: Site, tmp_path: Path
) -> None:
    site.data = first = stock_image()
    path = stock.fetch(OCTAL)
    path.unlink()
    site.data = second = stock_image(version="1.27.1")
    note = tmp_path / "cache" / f"{OCTAL_FILE}.sha256"
    with pytest.raises(DownloadError, match="when it was first fetched") as caught:
        stock.fetch(OCTAL)
    assert f"delete {note} to accept" in caught.value.hint
    assert _cached(tmp_path) == [note.name]
    site.data = first
    assert stock.fetch(OCTAL).read_bytes() == first
    note.unlink()
    site.data = second
    assert stock.fetch(OCTAL).read_bytes() == second


def test_what_is_altered_in_the_cache_is_fetched_again_without_a_known_hash_too(site: Site) -> None:
    site.data = stock_image()
    path = stock.fetch(OCTAL)
    path.write_bytes(stock_image(version="1.28.0"))
    assert stock.fetch(OCTAL).read_bytes() == site.data
    assert len(site.requests) == 2


def test_a_page_of_a_hotel_network_is_not_remembered(site: Site, tmp_path: Path) -> None:
    site.data = b"<html>Welcome</html>"
    with pytest.raises(DownloadError, match=f"sent something else for {OCTAL_FILE}: it has 20"):
        stock.fetch(OCTAL)
    assert _cached(tmp_path) == []


def test_without_a_known_hash_no_older_part_is_continued(site: Site, tmp_path: Path) -> None:
    site.data = stock_image()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / OCTAL_FILE.replace(".bin", ".part")).write_bytes(b"rotten" * 100)
    assert stock.fetch(OCTAL).read_bytes() == site.data
    assert site.requests == [None]


@pytest.mark.usefixtures("site")
def test_another_release_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.28.0"), hashlib.sha256(DATA).hexdigest())
    assert stock.fetch(NAME, "1.28.0").name == "ESP32_GENERIC_S3-20260406-v1.28.0.bin"
    with pytest.raises(DownloadError, match=r"1.12.0 is no release known here \(1.27.0, 1.28.0"):
        stock.fetch(NAME, "1.12.0")


def test_a_known_image_is_told_by_its_whole_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.28.0"), digest)
    assert stock.known(DATA) == f"{NAME} 1.28.0"
    assert stock.known(DATA + b"!") is None
    monkeypatch.setitem(stock.KNOWN, (NAME, "1.28.0"), digest[:63])
    assert stock.known(DATA) is None


def test_the_default_is_the_release_that_was_measured() -> None:
    measured = "f533115edca660863b1308445d5c08e3fa108b34c39229a53c2f984a8186a9cd"
    assert stock.KNOWN[NAME, stock.DEFAULT] == measured
    assert (stock.DEFAULT, stock.RELEASES[stock.DEFAULT]) == ("1.27.0", "20251209")


def test_every_known_hash_is_whole_and_of_a_release_that_the_application_runs_on() -> None:
    for (_name, version), digest in stock.KNOWN.items():
        assert re.fullmatch("[0-9a-f]{64}", digest)
        assert version in stock.RELEASES
        firmware.check_version(f"MicroPython v{version}")

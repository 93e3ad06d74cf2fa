"""The owner's page: all there, to the owner alone."""

import http.client
import io
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from bluering.vault.page import Page
from bluering.vault.sound import spectrogram_png
from bluering.vault.vault import NewWake, Vault
from tests.unit import vault_world
from tests.unit.vault_world import PASSPHRASE, nothing_of, recording


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with vault_world.memory_folder() as folder:
        yield folder


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault.create(tmp_path / "vault", PASSPHRASE)
    yield vault
    vault.close()


@pytest.fixture
def page(vault: Vault) -> Iterator[Page]:
    page = Page(vault)
    thread = threading.Thread(target=page.serve)
    thread.start()
    yield page
    page.stop()
    thread.join()


def _get(page: Page, path: str, host: str | None = None, token: str | None = None):
    address = urlsplit(page.url)
    assert address.hostname == "127.0.0.1"
    assert address.port
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    prefix = address.path if token is None else f"/{token}/"
    connection.request("GET", prefix + path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_it_shows_and_plays_everything(vault: Vault, page: Page):
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.int16)
    stored = vault.store(recording(1, samples=tone))
    gone = vault.store(recording(2))
    vault.delete([gone], "owner")
    answer, body = _get(page, "")
    text = body.decode()
    assert answer.status == 200
    assert "1 recordings, 1 deleted ones" in text
    assert "alexa<br>score 251, cutoff 247" in text
    assert ": owner" in text
    assert f"{stored}.wav" in text
    assert gone not in text
    _, wav = _get(page, f"{stored}.wav")
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate == 16000
    np.testing.assert_array_equal(samples, tone)
    _, png = _get(page, f"{stored}.png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")


def test_it_says_what_is_missing_and_where(vault: Vault, page: Page):
    vault.store(recording(1, gaps=((1600, 800), (24000, 0))))
    _, body = _get(page, "")
    assert "incomplete, missing: 0.05 s at 0.10 s, all after 1.50 s" in body.decode()


def test_of_what_has_no_sound_it_says_so(vault: Vault, page: Page):
    stored = vault.store(nothing_of(3))
    _, body = _get(page, "")
    assert "0.0 s<br><span class=gap>incomplete, missing: all after 0.00 s" in body.decode()
    assert stored not in body.decode()


def test_the_spectrogram_shows_a_tone_where_it_is():
    tone = (8000 * np.sin(2 * np.pi * 2000 * np.arange(16000) / 16000)).astype(np.int16)
    png = spectrogram_png(tone)
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    size = int.from_bytes(png[33:37], "big")
    rows = np.frombuffer(zlib.decompress(png[41 : 41 + size]), np.uint8)
    picture = rows.reshape(height, width + 1)[:, 1:]
    brightest = picture[:, 50].argmax()
    assert abs(brightest / height - 0.75) < 0.02  # 2 of 8 kHz from the bottom


def test_nobody_else_sees_it(vault: Vault, page: Page):
    stored = vault.store(recording())
    for path in ("", f"{stored}.wav", f"{stored}.png"):
        assert _get(page, path, token="wrong")[0].status == 404
        assert _get(page, path, host="evil.example")[0].status == 404
        answer, _ = _get(page, path)
        assert answer.status == 200
        assert answer.getheader("Cache-Control") == "no-store"
        assert "default-src 'none'" in (answer.getheader("Content-Security-Policy") or "")
    for path in ("nothing.wav", f"{stored}.exe", "../vault.json", f"{stored}.wav/x"):
        assert _get(page, path)[0].status == 404


def test_a_word_is_text_and_never_markup(vault: Vault, page: Page):
    wake = NewWake("1", 1, "<script>alert(1)</script>", 1, 1, "00")
    vault.store(replace(recording(), wake=wake))
    _, body = _get(page, "")
    assert b"<script" not in body
    assert b"&lt;script&gt;" in body

"""The owner's page in a browser: legible and whole on a phone and on a desk, in light and dark."""

import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from bluering.vault.page import Page
from bluering.vault.vault import NewWake, Vault
from tests.unit import vault_world
from tests.unit.vault_world import PASSPHRASE, recording
from tests.web.browser import find_browser, look


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with a whole recording, one with gaps, a deleted one and a false one."""
    find_browser()
    folder = tmp_path_factory.mktemp("page")
    with vault_world.memory_folder() as memory:
        vault = Vault.create(memory / "vault", PASSPHRASE)
        ids = [vault.store(recording(number)) for number in (1, 2, 3)]
        ids.append(vault.store(recording(4, gaps=((1600, 800), (24000, 0)))))
        wake = NewWake("long", 5, "Averyveryverylongwakeword" * 3, 251, 247, "ab" * 32)
        ids.append(vault.store(replace(recording(5), wake=wake)))
        vault.delete([ids[1]], "owner")
        vault.delete_false("0102030405060708", 4, 3)
        page = Page(vault)
        thread = threading.Thread(target=page.serve)
        thread.start()
        try:
            for name in (
                "page.html",
                *(f"{ids[at]}.{kind}" for at in (0, 3, 4) for kind in ("png", "wav")),
            ):
                url = page.url + name.removeprefix("page.html")
                (folder / name).write_bytes(urllib.request.urlopen(url).read())
        finally:
            page.stop()
            thread.join()
            vault.close()
    return folder / "page.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_and_is_legible(saved: Path, width: int, scheme: str) -> None:
    found = look(saved, width, scheme)
    assert found["width"] == width
    assert found["scroll"] <= width
    assert found["wide"] == []
    assert found["dead"] == 0  # every spectrogram is shown
    contrast, text = found["contrast"]
    assert contrast >= 4.5, text
    for words in ("3 recordings, 2 deleted ones", "missing: 0.05 s at 0.10 s", ": false wake"):
        assert words in found["text"]
    is_dark = sum(found["page"]) < 3 * 128
    assert is_dark == (scheme == "dark")

"""The vault's commands, as a person types them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from typer.testing import CliRunner, Result

from bluering.cli import app
from bluering.cli.vault_options import PASSPHRASE_VARIABLE
from bluering.errors import BlueRingError, ExitCode
from bluering.review.desk import Desk
from bluering.review.models import AuditEntry
from bluering.vault.errors import VaultError
from bluering.vault.vault import Vault
from tests.unit import vault_world
from tests.unit.vault_world import PASSPHRASE, nothing_of, recording


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with vault_world.memory_folder() as path:
        monkeypatch.setenv(PASSPHRASE_VARIABLE, PASSPHRASE)
        monkeypatch.setenv("BLUERING_VAULT", str(path / "vault"))
        yield path


@pytest.fixture
def vault(folder: Path) -> Iterator[Vault]:
    assert _type("create", "--passphrase").exit_code == 0
    vault = Vault.open(folder / "vault", lambda: PASSPHRASE)
    yield vault
    vault.close()


def _type(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["vault", *words], input=answer)


def test_list_shows_everything(vault: Vault):
    stored = vault.store(recording(1, gaps=((0, 160),)))
    gone = vault.store(recording(2))
    vault.delete([gone], "owner")
    [line] = _type("list", "--json").stdout.splitlines()
    facts = json.loads(line)
    assert (facts["id"], facts["word"], facts["score"]) == (stored, "alexa", 251)
    assert (facts["complete"], facts["gaps"], facts["seconds"]) == (False, [[0, 160]], 1.5)
    assert len(_type("list", "--json", "--all").stdout.splitlines()) == 2
    assert "alexa" in _type("list").stdout


def test_play_gives_the_sound_card_the_whole_sound(vault: Vault, monkeypatch: pytest.MonkeyPatch):
    new = recording()
    vault.store(new)
    played: list[tuple] = []

    def play(samples: np.ndarray, rate: int, blocking: bool) -> None:
        played.append((samples, rate, blocking))

    player = SimpleNamespace(play=play, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", player)
    assert _type("play", "last").exit_code == 0
    [(samples, rate, blocking)] = played
    np.testing.assert_array_equal(samples, new.samples)
    assert (rate, blocking) == (16000, True)


def test_a_sound_card_that_fails_is_named_with_a_way_out(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
):
    def play(*_: object, **__: object) -> None:
        raise OSError("no default output device")

    vault.store(recording())
    player = SimpleNamespace(play=play, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", player)
    done = _type("play", "last")
    assert done.exit_code != 0
    assert isinstance(done.exception, BlueRingError)
    assert "no default output device" in str(done.exception)
    assert "bluering vault export" in done.exception.hint


def test_export_writes_the_sound_and_no_more(vault: Vault, folder: Path):
    vault.store(recording())
    for name in ("out.wav", "out.flac"):
        assert _type("export", "last", "-o", str(folder / name)).exit_code == 0
        samples, rate = soundfile.read(folder / name, dtype="int16")
        assert rate == 16000
        np.testing.assert_array_equal(samples, recording().samples)
        assert (folder / name).stat().st_mode & 0o077 == 0
    failed = _type("export", "last", "-o", str(folder / "out.mp3"))
    assert "must end with" in str(failed.exception)


def test_what_has_no_sound_is_listed_and_cannot_be_exported(vault: Vault, folder: Path):
    vault.store(nothing_of(3))
    facts = json.loads(_type("list", "--json").stdout)
    assert (facts["word"], facts["complete"], facts["gaps"]) == (None, False, [[0, 0]])
    assert "incomplete" in _type("list").stdout
    for name in ("out.wav", "out.flac"):
        failed = _type("export", "last", "-o", str(folder / name))
        assert "it has no sound" in str(failed.exception)
        assert not (folder / name).exists()


def test_delete_asks_first(vault: Vault):
    for number in range(3):
        vault.store(recording(number))
    assert _type("delete", "last", answer="n\n").exit_code != 0
    assert len(vault.list()) == 3
    assert _type("delete", "last", answer="y\n").exit_code == 0
    assert len(vault.list()) == 2
    assert "2 recordings deleted" in _type("delete", "--all", "--yes").stdout
    assert vault.list() == []
    assert _type("delete").exit_code != 0


def test_verify_tells_by_its_exit_code(vault: Vault):
    stored = vault.store(recording())
    assert _type("verify").exit_code == 0
    vault.blobs.path(stored).unlink()
    result = _type("verify")
    assert result.exit_code == ExitCode.TAMPERED
    assert "is missing" in result.stdout


def test_backup_and_restore(vault: Vault, folder: Path):
    vault.store(recording())
    file, copy = str(folder / "backup.tar"), str(folder / "copy")
    assert "1 recordings" in _type("backup", file).stdout
    assert "1 recordings" in _type("restore", file, "--vault", copy).stdout
    assert _type("verify", "--vault", copy).exit_code == 0


def test_purge(vault: Vault):
    vault.store(recording())
    assert "0 recordings" in _type("purge").stdout
    assert "1 recordings" in _type("purge", "--older-than", "0").stdout


def test_without_a_vault_it_says_how_to_make_one(folder: Path):
    assert folder
    failed = _type("list")
    assert isinstance(failed.exception, VaultError)
    assert "bluering vault create" in failed.exception.hint


def _on_record(vault: Vault) -> list[tuple[str, str, str]]:
    with vault.session() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.seq)).all()
    return [(row.actor, row.action, row.subject) for row in rows][1:]


def test_every_access_by_command_is_on_the_log_of_a_reviewed_vault(
    vault: Vault, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    Desk.prepare(vault)
    kept, gone = vault.store(recording(1)), vault.store(recording(2))
    player = SimpleNamespace(play=lambda *_, **__: None, PortAudioError=OSError)
    monkeypatch.setitem(sys.modules, "sounddevice", player)
    for words in (
        ("list",),
        ("play", kept),
        ("export", kept, "-o", str(folder / "out.wav")),
        ("verify",),
        ("backup", str(folder / "backup.tar")),
        ("delete", gone, "--yes"),
        ("purge", "--older-than", "0"),
    ):
        assert _type(*words).exit_code == 0, words
    assert _on_record(vault) == [
        ("console", "list", ""),
        ("console", "hear", kept),
        ("console", "export sound", kept),
        ("console", "verify", ""),
        ("console", "backup", ""),
        ("console", "delete", gone),
        ("system", "delete", kept),
    ]


def test_no_sound_leaves_without_its_entry(vault: Vault, folder: Path):
    Desk.prepare(vault)
    vault.store(recording())
    with vault.engine.begin() as connection:
        connection.execute(text("ALTER TABLE review_audit RENAME TO hidden"))
    for words in (("export", "last", "-o", str(folder / "out.wav")), ("backup", str(folder / "b"))):
        assert isinstance(_type(*words).exception, DatabaseError)
    assert not list(folder.glob("out*")) + list(folder.glob("b*"))

"""Vaults, recordings and a PostgreSQL server for the vault's tests."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bluering.vault.vault import Gap, NewRecording, NewWake, Vault

PASSPHRASE = "correct horse battery staple"


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is one: the vault waits for the disk at every step."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def wake(position: int = 16000) -> NewWake:
    """A wake of one session."""
    return NewWake("0badcafe", position, "alexa", 251, 247, "ab" * 32)


def recording(
    number: int = 1,
    samples: np.ndarray | None = None,
    gaps: tuple[Gap, ...] = (),
    retention_days: int = 30,
) -> NewRecording:
    """A recording of a second and a half, with a wake of its own."""
    if samples is None:
        samples = np.random.default_rng(number).integers(-3000, 3000, 24000).astype(np.int16)
    return NewRecording(
        device="0102030405060708",
        boot=4,
        number=number,
        salt=f"{number:032x}",
        wake=wake(16000 * number),
        samples=samples,
        pre_roll=0,
        codec="adpcm",
        complete=not gaps,
        reason="silence",
        gaps=gaps,
        review=False,
        retention_days=retention_days,
    )


def nothing_of(number: int) -> NewRecording:
    """A recording of which it is known that it was, and no more."""
    empty = recording(number, np.zeros(0, np.int16), gaps=((0, 0),))
    return replace(empty, salt="", wake=None)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL database; skips where there is no server to start.

    ``BLUERING_TEST_POSTGRES`` names one that runs already, to be filled and left full.
    """
    given = os.environ.get("BLUERING_TEST_POSTGRES")
    if given:
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL isn't installed (apt install postgresql)")
    pytest.importorskip("psycopg", reason="psycopg isn't installed")
    as_user = _unprivileged()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        if as_user:
            shutil.chown(folder, "postgres")
        options = ["-A", "trust", "-U", "bluering", "--no-sync"]
        _run([*as_user, programs[-1] / "initdb", "-D", data, *options])
        # No TCP: a socket in its own folder.
        server = f"-k {folder} -c listen_addresses='' -F"
        control = [*as_user, programs[-1] / "pg_ctl", "-D", data]
        _run([*control, "-w", "-o", server, "-l", Path(folder, "log"), "start"])
        try:
            yield f"postgresql+psycopg://bluering@/postgres?host={folder}"
        finally:
            _run([*control, "-m", "immediate", "stop"])


@contextmanager
def database(kind: str) -> Iterator[str | None]:
    """The URL of an empty database, "postgresql"; None for "sqlite", which needs none."""
    if kind == "sqlite":
        yield None
        return
    with postgres() as url:
        yield url


def _unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("runuser"):
        pytest.skip("PostgreSQL refuses to run as root, and there is no runuser")
    return ["runuser", "-u", "postgres", "--"]


def _run(command: list) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def delete_all(vault: Vault) -> int:
    """Delete every recording; how many there were."""
    return vault.delete([row.id for row, _ in vault.list()], "owner")

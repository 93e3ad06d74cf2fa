"""A vault under review: people, recordings by the hundred, a clock that is moved by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import insert, text

from bluering.review.desk import Desk
from bluering.review.models import Base as ReviewBase
from bluering.vault import sound
from bluering.vault.models import STORED, Base, Recording, Wake
from bluering.vault.vault import Vault
from tests.unit.vault_world import PASSPHRASE

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **lapse: float) -> None:
        """Move it, as timedelta is told."""
        self.now += timedelta(**lapse)


@contextmanager
def open_desk(folder: Path, url: str | None = None) -> Iterator[Desk]:
    """A prepared vault; on PostgreSQL it is emptied afterwards."""
    vault = Vault.create(folder / "vault", PASSPHRASE, url)
    try:
        yield Desk.prepare(vault, HandClock())
    finally:
        if url:
            _empty(vault)
        vault.close()


def clock_of(desk: Desk) -> HandClock:
    """The hand clock of ``open_desk``."""
    assert isinstance(desk.clock, HandClock)
    return desk.clock


def fill(desk: Desk, count: int, devices: int = 4, review: bool = True, tag: str = "") -> list[str]:
    """Put recordings into the vault, all with the same second of sound; returns their ids."""
    tone = (6000 * np.sin(np.arange(16000) / 9)).astype(np.int16)
    flac = sound.to_flac(tone)
    wakes, recordings = [], []
    for number in range(count):
        wake = a_wake(number, tag)
        row = a_recording(number, number % devices, wake["id"], review, tag)
        row["wrapped_key"] = desk.vault.blobs.write(row["id"], flac, Recording(**row).facts())
        wakes.append(wake)
        recordings.append(row)
    with desk.reading() as session, session.begin():
        session.execute(insert(Wake), wakes)
        session.execute(insert(Recording), recordings)
    return [row["id"] for row in recordings]


def a_wake(number: int, tag: str) -> dict:
    """A row."""
    return {
        "id": f"{tag}{number:0{32 - len(tag)}x}",
        "session": f"{tag}session",
        "position": 16000 * number,
        "heard_at": NOON,
        "word": "alexa",
        "score": 250,
        "cutoff": 240,
        "model_sha256": "ab" * 32,
    }


def a_recording(number: int, device: int, wake_id: str, review: bool, tag: str) -> dict:
    """A row, its key apart."""
    return {
        "id": f"{tag}{number:0{32 - len(tag)}x}"[::-1],
        "state": STORED,
        "device": f"{tag}{device:0{16 - len(tag)}x}",
        "boot": 1,
        "number": number,
        "salt": "0" * 32,
        "wake_id": wake_id,
        "received_at": NOON,
        "delete_after": NOON + timedelta(days=3650),
        "review": review,
        "samples": 16000,
        "pre_roll": 0,
        "codec": "adpcm",
        "complete": True,
        "reason": "silence",
        "gaps": "[]",
    }


def _empty(vault: Vault) -> None:
    with vault.engine.begin() as connection:
        tables = [*ReviewBase.metadata.sorted_tables, *Base.metadata.sorted_tables]
        for table in tables:
            connection.execute(text(f"DROP TABLE IF EXISTS {table.name} CASCADE"))
        for version in ("alembic_version", "review_alembic_version"):
            connection.execute(text(f"DROP TABLE {version}"))
        for function in ("review_forget", "review_keep_audit"):
            connection.execute(text(f"DROP FUNCTION {function}() CASCADE"))

"""How fast review's pages answer with 200,000 recordings in the vault, on SQLite and PostgreSQL.

Run ``python -m tests.bench.review``. The answers come through the whole application, without a
network; the database is on this computer's disk.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, text

from bluering.review.desk import Desk
from bluering.review.models import AUDITOR, OWNER, REVIEWER
from bluering.vault import sound
from bluering.vault.models import Recording, Wake
from tests.unit import vault_world
from tests.unit.review_world import NOON, a_recording, a_wake, open_desk
from tests.web.review_site import Browser, allow_review, join

_RECORDINGS = 200_000
_BATCH = 5000
_ROUNDS = 60
_BOUND_MS = 100


def main() -> None:
    """Print the table; exit 1 if a page is slower than its bound."""
    table = Table("page", "database", "median ms", "95th percentile ms", box=None)
    slow = False
    with tempfile.TemporaryDirectory() as folder, vault_world.postgres() as postgres:
        for name, url in (("SQLite", None), ("PostgreSQL", postgres)):
            with open_desk(Path(folder, name), url) as desk:
                _fill(desk)
                for page, times in _measure(desk).items():
                    median, high = np.percentile(times, [50, 95])
                    slow |= bool(high > _BOUND_MS)
                    table.add_row(page, name, f"{median:.1f}", f"{high:.1f}")
    Console().print(table)
    sys.exit(f"a page takes longer than {_BOUND_MS} ms" if slow else None)


def _fill(desk: Desk) -> None:
    """Rows for all; sound for none, since it isn't measured before it is drawn."""
    with desk.vault.engine.begin() as connection:
        for start in range(0, _RECORDINGS, _BATCH):
            numbers = range(start, start + _BATCH)
            wakes = [a_wake(number, "") for number in numbers]
            rows = [
                a_recording(number, number % 50, wake["id"], True, "")
                | {"wrapped_key": b"", "received_at": NOON - timedelta(minutes=number)}
                for number, wake in zip(numbers, wakes, strict=True)
            ]
            connection.execute(insert(Wake), wakes)
            connection.execute(insert(Recording), rows)
    with desk.vault.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))  # as PostgreSQL does by itself before long
        connection.execute(text("ANALYZE"))


def _measure(desk: Desk) -> dict[str, list[float]]:
    allow_review(desk, hourly_cap=1000)
    browsers = {role: Browser(desk, join(desk, role, role)) for role in (OWNER, REVIEWER, AUDITOR)}
    nobody = Browser(desk)
    boss, reviewer = browsers[OWNER], browsers[REVIEWER]
    recording = f"{_RECORDINGS // 2:032x}"[::-1]
    _give_sound(desk, recording)
    pages: dict[str, Callable[[], object]] = {
        "overview": lambda: boss.get("/owner"),
        "recordings": lambda: boss.get("/recordings"),
        "recordings, far down": lambda: boss.get(f"/recordings?before={recording}"),
        "a recording": lambda: boss.get(f"/recordings/{recording}"),
        "its sound": lambda: boss.get(
            f"/recordings/{recording}/sound", headers={"X-Review": "play"}
        ),
        "people": lambda: boss.get("/people"),
        "log": lambda: browsers[AUDITOR].get("/audit"),
        "account": lambda: boss.get("/account"),
        "sign-in": lambda: nobody.get("/sign-in"),
        "the same clip": lambda: reviewer.get("/review"),
    }
    times = {name: _time(page) for name, page in pages.items()}
    times["skip"], times["a new clip"] = _next_clips(reviewer)
    return times


def _give_sound(desk: Desk, recording_id: str) -> None:
    with desk.reading() as session, session.begin():
        row = session.get_one(Recording, recording_id)
        noise = np.random.default_rng(1).integers(-3000, 3000, 8 * sound.RATE).astype(np.int16)
        row.wrapped_key = desk.vault.blobs.write(row.id, sound.to_flac(noise), row.facts())


def _time(page: Callable[[], object]) -> list[float]:
    return [_one(page) for _ in range(_ROUNDS)]


def _one(page: Callable[[], object]) -> float:
    start = time.perf_counter()
    answer = page()
    taken = (time.perf_counter() - start) * 1000
    assert getattr(answer, "status_code", 0) in (200, 303), answer
    return taken


def _next_clips(browser: Browser) -> tuple[list[float], list[float]]:
    skips, draws = [], []
    for _ in range(_ROUNDS):
        form = f"/clips/{browser.clip()}/skip"
        csrf = browser.csrf("/account")
        skips.append(_one(lambda form=form, csrf=csrf: browser.post(form, data={"csrf": csrf})))
        draws.append(_one(lambda: browser.get("/review")))
    return skips, draws


if __name__ == "__main__":
    main()

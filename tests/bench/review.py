"""How fast review's pages answer with 200,000 recordings in the vault, on SQLite and PostgreSQL.

Run ``python -m tests.bench.review``. The answers come through the whole application, without a
network; the database is on this computer's disk. Processor time is that of the application and of
the database's server together: it tells more than the clock where other programs run as well.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
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
from ear.audio.format import RATE
from tests.unit import vault_world
from tests.unit.review_world import NOON, a_recording, a_wake, open_desk
from tests.web.review_site import Browser, allow_review, join

_RECORDINGS = 200_000
_BATCH = 5000
_ROUNDS = 60
_BOUND_MS = 100

Times = list[tuple[float, float]]
"""Milliseconds of each answer: processor, clock."""


def main() -> None:
    """Print the table; exit 1 if a page is slower than its bound."""
    table = Table(
        "page", "database", "processor: median, 95 % ms", "clock: median, 95 % ms", box=None
    )
    slow = False
    with tempfile.TemporaryDirectory() as folder, vault_world.postgres() as postgres:
        for name, url in (("SQLite", None), ("PostgreSQL", postgres)):
            with open_desk(Path(folder, name), url) as desk:
                _fill(desk)
                for page, times in _measure(desk, _Stopwatch(url)).items():
                    processor, clock = np.percentile(times, [50, 95], axis=0).T
                    slow |= bool(clock[1] > _BOUND_MS)
                    cells = [f"{median:.1f}, {high:.1f}" for median, high in (processor, clock)]
                    table.add_row(page, name, *cells)
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


class _Stopwatch:
    """Times answers: processor and clock, in milliseconds."""

    def __init__(self, url: str | None) -> None:
        self._server = None
        if url and "host=" in url:
            pid_file = Path(url.partition("host=")[2], "data", "postmaster.pid")
            self._server = pid_file.read_text().split()[0]

    def time(self, page: Callable[[], object]) -> tuple[float, float]:
        """One answer."""
        served, busy, clock = self._served_ms(), time.process_time(), time.perf_counter()
        answer = page()
        taken, busy = time.perf_counter() - clock, time.process_time() - busy
        served = self._served_ms() - served
        assert getattr(answer, "status_code", 0) in (200, 303), answer
        return busy * 1000 + served, taken * 1000

    def times(self, page: Callable[[], object]) -> Times:
        """As many as are measured."""
        return [self.time(page) for _ in range(_ROUNDS)]

    def _served_ms(self) -> float:
        """Processor time of the server's processes up to now."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat") if self._server else ():
            with suppress(OSError):  # it has ended
                if stat.read_text().rpartition(")")[2].split()[1] == self._server:
                    total += int(stat.with_name("schedstat").read_text().split()[0])
        return total / 1e6


def _measure(desk: Desk, watch: _Stopwatch) -> dict[str, Times]:
    allow_review(desk, hourly_cap=1000)
    people = {role: join(desk, role, role) for role in (OWNER, REVIEWER, AUDITOR)}
    browsers = {role: Browser(desk, person) for role, person in people.items()}
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
        "a person": lambda: boss.get(f"/people/{people[AUDITOR].account_id}"),
        "log": lambda: browsers[AUDITOR].get("/audit"),
        "account": lambda: boss.get("/account"),
        "sign-in": lambda: nobody.get("/sign-in"),
        "the same clip": lambda: reviewer.get("/review"),
    }
    times = {name: watch.times(page) for name, page in pages.items()}
    times["skip"], times["a new clip"] = _next_clips(reviewer, watch)
    return times


def _give_sound(desk: Desk, recording_id: str) -> None:
    with desk.reading() as session, session.begin():
        row = session.get_one(Recording, recording_id)
        noise = np.random.default_rng(1).integers(-3000, 3000, 8 * RATE).astype(np.int16)
        row.wrapped_key = desk.vault.blobs.write(row.id, sound.to_flac(noise), row.facts())


def _next_clips(browser: Browser, watch: _Stopwatch) -> tuple[Times, Times]:
    skips, draws = [], []
    for _ in range(_ROUNDS):
        form = f"/clips/{browser.clip()}/skip"
        csrf = browser.csrf("/account")
        skips.append(
            watch.time(lambda form=form, csrf=csrf: browser.post(form, data={"csrf": csrf}))
        )
        draws.append(watch.time(lambda: browser.get("/review")))
    return skips, draws


if __name__ == "__main__":
    main()

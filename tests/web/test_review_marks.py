"""Nothing that identifies anybody reaches a reviewer: marks are planted, and searched for."""

import re

import numpy as np
import pytest
from sqlalchemy import select, update

from bluering.review.assignments import current
from bluering.review.desk import Desk
from bluering.review.models import OWNER, REVIEWER
from bluering.vault import sound
from bluering.vault.models import Recording, Wake
from tests.unit import vault_world
from tests.unit.review_world import clock_of, fill, open_desk
from tests.web.review_site import Browser, Person, allow_review, join

_PLAY = {"X-Review": "play"}

_MARKS = {
    "device": "5e81a1bbccddeeff",
    "mac": "de:ad:be:ef:00:17",
    "name": "Zebulon-Quartermain",
    "account": "acct-777-zulu",
    "path": "holiday-kitchen.flac",
    "time": "1987-06-05",
}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_identifying_reaches_a_reviewer(
    kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    """Marks in everything that could identify; searched in all that a full crawl returns."""
    caplog.set_level("INFO")
    with vault_world.database(kind) as url, vault_world.memory_folder() as parent:
        folder = parent / _MARKS["path"] / _MARKS["name"]
        folder.mkdir(parents=True)
        with open_desk(folder, url) as marked:
            ids = _plant(marked)
            allow_review(marked)
            join(marked, _MARKS["account"], OWNER)
            capfd.readouterr()  # what was said before there was a reviewer
            seen = _crawl(marked, join(marked, "rita", REVIEWER))
            allow_review(marked, disguise=True)
            seen += _crawl(marked, join(marked, "ben", REVIEWER))
    assert not [name for name in ids if name.encode() in seen]
    said = capfd.readouterr()
    seen += (caplog.text + said.out + said.err).encode()
    assert len(seen) > 100_000
    assert b"What woke it?" in seen
    found = {what: mark for what, mark in _MARKS.items() if mark.lower().encode() in seen.lower()}
    assert found == {}
    assert b"beadface" not in seen


def _plant(desk: Desk) -> list[str]:
    """Returns the recordings' ids, which mean something elsewhere."""
    ids = fill(desk, 1500, tag="9f3d5b")
    moment = clock_of(desk).now.replace(year=1987, month=6, day=5)
    with desk.reading() as session, session.begin():
        session.execute(
            update(Recording).values(
                device=_MARKS["device"], salt="beadface" * 4, reason=_MARKS["mac"],
                received_at=moment, codec=_MARKS["name"][:16],
                number=Recording.number + 987_654_321,
            )
        )  # fmt: skip
        session.execute(
            update(Wake).values(
                session="beadface" * 4, model_sha256="beadface" * 8, heard_at=moment
            )
        )
        session.flush()
        for recording in session.scalars(select(Recording).where(Recording.id.in_(ids))):
            session.expunge(recording)
            key = desk.vault.blobs.write(
                recording.id, sound.to_flac(np.zeros(4000, np.int16)), recording.facts()
            )
            session.execute(
                update(Recording).where(Recording.id == recording.id).values(wrapped_key=key)
            )
    return ids


def _crawl(desk: Desk, person: Person) -> bytes:
    """Everything that a reviewer's browser receives, headers and redirects too."""
    browser, seen = Browser(desk, person), b""

    def take(answer) -> str:
        nonlocal seen
        seen += repr(answer.headers.raw).encode() + str(answer.url).encode() + answer.content
        return answer.text if "text" in answer.headers.get("content-type", "") else ""

    ways = ("label", "critical", "distress", "skip", "damaged", "label")
    for way in ways:
        page = take(browser.get("/review"))
        for link in set(re.findall(r'(?:href|src)="(/[^"]*)"', page)):
            take(browser.get(link))
        for place in ("/owner", "/recordings", "/audit", "/people", "/none", "/account"):
            take(browser.get(place))
        [clip] = re.findall(r'data-clip="([0-9a-f]{32})"', page)
        if way == "damaged":
            _damage(desk, person)
        take(browser.get(f"/clips/{clip}/sound", headers=_PLAY))
        take(browser.get(f"/clips/{clip}/status"))
        take(browser.submit(f"/clips/{clip}/label", verdict="no", noise="none"))
        last = way if way != "damaged" else "skip"
        take(browser.submit(f"/clips/{clip}/{last}", verdict="real", noise="none"))
        clock_of(desk).forward(minutes=1)
    take(browser.submit("/sign-out"))
    take(browser.get("/sign-in"))
    take(browser.sign_in(person, code="000000"))
    return seen


def _damage(desk: Desk, person: Person) -> None:
    """The sound of the clip on the screen is gone."""
    with desk.reading() as session:
        work = current(session, person.account_id)
    assert work
    desk.vault.blobs.path(work.recording.id).unlink()

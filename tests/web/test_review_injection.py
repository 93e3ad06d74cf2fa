"""Hostile text in every field, path, query, cookie and header of the review application."""

import json
import logging
import re
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from bluering.review.audit.verify import verify
from bluering.review.desk import Desk
from bluering.review.models import Account, AuditEntry
from bluering.review.web.app import make_app
from bluering.review.web.visit import COOKIE
from tests.unit.review_world import clock_of
from tests.web.review_site import ORIGIN, Browser, Person, allow_review, rest

_NASTY = (
    "<script>alert(1)</script>",
    "'; DROP TABLE review_audit; --",
    '" OR 1=1 --',
    "../../../../etc/passwd",
    "line\r\nSet-Cookie: a=b\n[audit] forged entry",
    "{{ 1789 * 6553 }}",
    "\u202egnp.exe\u0000",
)
# What a template would make of that; no time and no count looks like it.
_EVALUATED = str(1789 * 6553)
_LEAK = re.compile(r"Traceback|sqlalchemy|sqlite3|psycopg|File \"|argon2id|root:x:0", re.I)
_NOBODY = "0" * 32
_HARMLESS = {
    "share": "0.5",
    "hourly_cap": "60",
    "second_share": "0",
    "verdict": "real",
    "noise": "none",
    "x-review": "play",
}


@pytest.fixture(autouse=True)
def _rested(desk: Desk, owner: Person, reviewer: Person) -> None:
    rest(desk, owner, reviewer, fresh=True)
    allow_review(desk)


def _entries(desk: Desk, after: int = 0) -> list[AuditEntry]:
    with desk.reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.seq > after)))


def _check(answer: Any, nasty: str, where: object) -> None:
    assert answer.status_code < 500, (where, nasty)
    assert not _LEAK.search(answer.text), (where, nasty)
    assert "<script>alert" not in answer.text, where
    assert not any("a=b" in value for value in answer.headers.values()), (where, nasty)
    assert _EVALUATED not in answer.text, where


def _bytes(name: str, value: str) -> dict[bytes, bytes]:
    """A header that no well-behaved client would send."""
    return {name.encode(): value.encode()}


def _form_fields(operation: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    for kind in content.values():
        name = kind["schema"].get("$ref", "").rpartition("/")[2]
        return list(schemas[name]["properties"]) if name else []
    return []


@pytest.mark.parametrize("nasty", _NASTY)
def test_every_field_that_the_description_names(
    desk: Desk, owner: Person, reviewer: Person, nasty: str
):
    described = make_app(desk, ORIGIN).openapi()
    schemas = described["components"]["schemas"]
    browsers = {True: Browser(desk, reviewer), False: Browser(desk, owner)}
    csrfs = {which: browser.csrf("/account") for which, browser in browsers.items()}
    last, tried = len(_entries(desk)), 0
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            reviews = path.startswith(("/review", "/clips"))
            fields = _form_fields(operation, schemas)
            given = {name: _HARMLESS.get(name, "") for name in fields} | {"csrf": csrfs[reviews]}
            places = [
                (parameter["in"], parameter["name"])
                for parameter in operation.get("parameters", ())
            ]
            for place, name in [*places, *(("form", field) for field in fields)]:
                headers = _bytes("X-Review", "play")
                url, query, form = re.sub(r"{\w+}", _NOBODY, path), {}, dict(given)
                if place == "path":
                    url = path.replace("{" + name + "}", quote(nasty, safe=""))
                elif place == "query":
                    query = {name: nasty}
                elif place == "header":
                    headers = _bytes(name, nasty)
                else:
                    form[name] = nasty
                answer = browsers[reviews].request(
                    method, url, params=query, headers=headers, data=form if fields else None
                )
                _check(answer, nasty, (method, path, place, name))
                tried += 1
    assert tried > 50
    made = _entries(desk, last)
    assert made or "\0" in nasty  # every form with that is malformed
    _check_log(desk, made, nasty)


def _check_log(desk: Desk, made: list[AuditEntry], nasty: str) -> None:
    """Each entry is one line of ASCII without the text, and the log is whole."""
    for entry in made:
        text = " ".join((entry.at, entry.actor, entry.action, entry.subject, entry.outcome))
        assert nasty.strip() not in text + entry.facts
        assert text.isascii()
        assert text.isprintable()
        assert json.loads(entry.facts) is not None
        assert "\n" not in entry.facts
    with desk.reading() as session:
        assert verify(session, []).problems == []
        assert session.scalars(select(func.count()).select_from(Account)).one() == 2


@pytest.mark.parametrize("nasty", _NASTY)
def test_headers_and_cookies(desk: Desk, nasty: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    browser = Browser(desk)
    for name in ("Cookie", "User-Agent", "Referer", "X-Forwarded-For", "Accept-Language"):
        value = f"{COOKIE}={nasty}" if name == "Cookie" else nasty
        clock_of(desk).forward(minutes=20)
        fields = {"name": "nobody", "password": "x", "code": "1"}
        answer = browser.post("/sign-in", data=fields, headers=_bytes(name, value))
        assert answer.status_code == 403
        _check(answer, nasty, name)
        assert nasty.strip() not in _entries(desk)[-1].facts
    for name in ("Host", "Origin"):
        answer = browser.post("/sign-in", headers=_bytes(name, nasty))
        assert answer.status_code in (403, 421)
        _check(answer, nasty, name)
    # What the test's own client says isn't the server's log.
    said = "".join(row.getMessage() for row in caplog.records if row.name.startswith("bluering"))
    assert nasty.strip() not in said


@pytest.mark.parametrize("nasty", _NASTY)
def test_a_transcript_comes_back_as_text(desk: Desk, owner: Person, reviewer: Person, nasty: str):
    browser = Browser(desk, reviewer)
    clip, last = browser.clip(), _entries(desk)[-1].seq
    assert clip
    answer = browser.submit(f"/clips/{clip}/label", verdict="real", noise="none", transcript=nasty)
    if "\0" in nasty:
        assert answer.status_code == 422
        return
    assert answer.status_code == 303
    [subject] = [row.subject for row in _entries(desk, last) if row.action == "label"]
    page = Browser(desk, owner).get(f"/recordings/{subject}")
    assert page.status_code == 200
    _check(page, nasty, "recording")
    if nasty.startswith("<"):
        assert "&lt;script&gt;alert(1)" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/static/../web/app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/clips/..%2f..%2fetc%2fpasswd/sound",
        "/recordings/%2e%2e/sound",
        "/clips/%00/sound",
    ],
)
def test_paths_lead_nowhere(desk: Desk, reviewer: Person, path: str):
    answer = Browser(desk, reviewer).get(path, headers={"X-Review": "play"})
    assert answer.status_code in (403, 404, 422)
    assert "import" not in answer.text

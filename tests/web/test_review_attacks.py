"""Attacks on the review application, and what must reach nobody who reviews."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, text

from bluering.review.auth import codes, logins
from bluering.review.auth.passwords import hash_new
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError
from bluering.review.models import AUDITOR, OWNER, REVIEWER, AuditEntry, Login, RecoveryCode
from bluering.review.web.guard import LARGEST_BODY
from bluering.review.web.visit import COOKIE
from bluering.vault import sound
from tests.unit.review_world import clock_of
from tests.web.review_site import ORIGIN, PASSWORD, Browser, Person, allow_review, join, rest

_GUESSES = {"sqlite": 10_000, "postgresql": 500}
_PLAY = {"X-Review": "play"}


@pytest.fixture(scope="module")
def auditor(desk: Desk) -> Person:
    return join(desk, "ada", AUDITOR)


@pytest.fixture(autouse=True)
def _rested(desk: Desk, owner: Person, reviewer: Person, auditor: Person) -> None:
    rest(desk, owner, reviewer, auditor)


def _last(desk: Desk) -> AuditEntry:
    with desk.reading() as session:
        return session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc()).limit(1)).one()


@pytest.mark.slow
def test_ten_thousand_guesses_get_nowhere(desk: Desk, reviewer: Person):
    """One guess a second for three hours, of passwords and of codes in turn: next to none is
    looked at, all look alike, and the owner of the account gets in soon after.
    """
    browser, seen = Browser(desk), {}
    before = _last(desk).seq
    for number in range(_GUESSES[desk.vault.engine.dialect.name]):
        guess = {"code": f"{number:06}"} if number % 2 else {"password": f"{PASSWORD}{number}"}
        answer = browser.sign_in(reviewer, **{"code": "abcdef", **guess})
        seen.setdefault(answer.status_code, set()).add(len(answer.content))
        clock_of(desk).forward(seconds=1)
    assert set(seen) == {403, 429}
    assert all(len(sizes) == 1 for sizes in seen.values())
    looked_at, blocked = (
        _count(desk, before, action=action, outcome=outcome)
        for action, outcome in (("sign in", "failed"), ("guess too early", "refused"))
    )
    assert 5 < looked_at < 30
    assert 0 < blocked <= looked_at  # the first of each wait
    assert browser.sign_in(reviewer).status_code == 429
    clock_of(desk).forward(minutes=16)
    assert browser.sign_in(reviewer).status_code == 303


def test_one_address_can_not_try_many_names(desk: Desk):
    browser = Browser(desk)
    fields = {"password": PASSWORD, "code": "000000"}
    seen = [
        browser.post("/sign-in", data={"name": f"name-{number}", **fields}).status_code
        for number in range(60)
    ]
    assert seen.count(403) <= 27
    assert seen[-1] == 429


def test_a_team_behind_one_address_is_not_locked_out(desk: Desk, reviewer: Person):
    for _ in range(40):
        clock_of(desk).forward(seconds=30)
        assert Browser(desk).sign_in(reviewer).status_code == 303


def _count(desk: Desk, after: int, **what: str) -> int:
    with desk.reading() as session:
        query = select(AuditEntry.seq).filter_by(**what).where(AuditEntry.seq > after)
        return len(session.scalars(query).all())


def test_fresh_codes_can_not_be_guessed_from_inside(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    seen = [
        browser.submit("/account/recovery", code=f"{number:06}").status_code for number in range(40)
    ]
    assert seen.count(409) <= 6
    assert seen[-1] == 429


def test_nobody_learns_which_accounts_there_are(desk: Desk, reviewer: Person):
    browser = Browser(desk)
    wrong = [
        browser.sign_in(reviewer, password="wrong but long enough"),
        browser.sign_in(reviewer, code="000000"),
        browser.sign_in(reviewer, name="nobody-of-this-name"),
        browser.sign_in(reviewer, name="' OR 1=1 --"),
    ]
    assert {answer.status_code for answer in wrong} == {403}
    assert len({answer.text for answer in wrong}) == 1
    seen = [browser.sign_in(reviewer, name="nobody-of-this-name") for _ in range(10)]
    assert seen[-1].status_code == 429


def test_a_code_works_once(desk: Desk, reviewer: Person):
    clock_of(desk).forward(seconds=60)
    code = reviewer.code()
    assert Browser(desk).sign_in(reviewer, code=code).status_code == 303
    assert Browser(desk).sign_in(reviewer, code=code).status_code == 403
    clock_of(desk).forward(seconds=30)
    assert Browser(desk).sign_in(reviewer, code=code).status_code == 403
    assert Browser(desk).sign_in(reviewer).status_code == 303


@pytest.mark.parametrize(("age", "status"), [(-1, 403), (0, 303), (34, 303), (35, 403)])
def test_a_code_lives_half_a_minute(desk: Desk, reviewer: Person, age: int, status: int):
    """From the beginning of its step, and as long as typing takes afterwards."""
    clock = clock_of(desk)
    clock.now = clock.now.replace(second=0)
    code = reviewer.code()
    clock.forward(seconds=age)
    assert Browser(desk).sign_in(reviewer, code=code).status_code == status


def test_a_recovery_code_works_once_and_is_stored_as_a_hash(desk: Desk, reviewer: Person):
    code = reviewer.recovery.pop()
    with desk.reading() as session:
        assert all(code not in kept for kept in session.scalars(select(RecoveryCode.hash)))
    assert Browser(desk).sign_in(reviewer, code=code.lower()).status_code == 303
    assert Browser(desk).sign_in(reviewer, code=code).status_code == 403


def test_sessions_end(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    for _ in range(23):
        assert browser.get("/review").status_code == 200
        clock_of(desk).forward(minutes=29)
    assert browser.get("/review").status_code == 200
    clock_of(desk).forward(minutes=54)  # twelve hours since
    assert browser.get("/review").headers["location"] == "/sign-in"


def test_a_page_that_only_polls_goes_idle(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    clip = browser.clip()
    seen = []
    for _ in range(6):
        clock_of(desk).forward(minutes=5)
        answer = browser.get(f"/clips/{clip}/status", headers={"sec-fetch-dest": "empty"})
        seen.append(answer.status_code)
    assert seen[-1] == 401


def test_stolen_and_fixed_cookies_are_worth_nothing(desk: Desk, reviewer: Person):
    browser = Browser(desk)
    browser.cookies.set(COOKIE, "fixed-by-an-attacker", domain="review.test")
    assert browser.sign_in(reviewer).status_code == 303
    token = browser.cookies[COOKIE]
    assert token != "fixed-by-an-attacker"
    assert len(token) >= 43  # 256 bits, base64
    with desk.reading() as session:
        hashes = set(session.scalars(select(Login.token_hash)))
    assert token not in hashes
    browser.submit("/sign-out")
    browser.cookies.set(COOKIE, token, domain="review.test")
    assert browser.get("/review").headers["location"] == "/sign-in"


def test_the_cookie_is_guarded(desk: Desk, reviewer: Person):
    kept = Browser(desk).sign_in(reviewer).headers["set-cookie"].lower()
    for part in ("__host-", "secure", "httponly", "samesite=strict", "path=/"):
        assert part in kept
    assert "domain" not in kept


def test_a_new_password_signs_out_everywhere(desk: Desk, reviewer: Person):
    other, browser = Browser(desk), Browser(desk, reviewer)
    other.sign_in(reviewer)
    clock_of(desk).forward(seconds=30)
    changed = {"old": PASSWORD, "password": PASSWORD + "!", "again": PASSWORD + "!"}
    assert browser.submit("/account/password", **changed).status_code == 409  # no code
    answer = browser.submit("/account/password", code=reviewer.code(), **changed)
    assert answer.status_code == 303
    assert other.get("/review").headers["location"] == "/sign-in"
    assert browser.get("/review").status_code == 200
    back = {"old": PASSWORD + "!", "password": PASSWORD, "again": PASSWORD}
    assert browser.submit("/account/password", **back).status_code == 303


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 129, "a" * 20, "passwordpassword", "qwertyuiopasdfgh", "123456789012345678"],
)
def test_bad_passwords_are_refused(password: str):
    with pytest.raises(RefusedError):
        hash_new(password, "rita")


def test_forms_of_other_sites_are_refused(desk: Desk, owner: Person):
    browser = Browser(desk, owner)
    csrf = browser.csrf("/owner")
    for origin in ("https://evil.test", "null", "http://review.test"):
        answer = browser.post("/withdraw", data={"csrf": csrf}, headers={"Origin": origin})
        assert answer.status_code == 403
    del browser.headers["origin"]
    assert browser.post("/withdraw", data={"csrf": csrf}).status_code == 403
    browser.headers["origin"] = ORIGIN
    assert browser.post("/withdraw", data={"csrf": "0" * 64}).status_code == 403
    assert browser.post("/withdraw").status_code == 403
    with desk.reading() as session:
        assert session.scalars(text("SELECT open FROM review_policy")).one()


def test_other_hosts_are_not_answered(desk: Desk):
    answer = Browser(desk).get("/sign-in", headers={"Host": "evil.test"})
    assert answer.status_code == 421


def test_roles_see_their_own_pages_only(
    desk: Desk, owner: Person, reviewer: Person, auditor: Person
):
    recording = desk.vault.find("last").id
    pages = {
        OWNER: ["/owner", "/recordings", f"/recordings/{recording}", "/people"],
        REVIEWER: ["/review"],
        AUDITOR: ["/audit"],
    }
    forms = ["/withdraw", "/policy", "/people", f"/recordings/{recording}/delete"]
    for person, role in ((owner, OWNER), (reviewer, REVIEWER), (auditor, AUDITOR)):
        browser = Browser(desk, person)
        for whose, places in pages.items():
            for place in places:
                may = whose == role or (role == OWNER and place == "/audit")
                assert browser.get(place).status_code == (200 if may else 403), (role, place)
        if role != OWNER:
            for form in forms:
                given = {"share": "1", "hourly_cap": "1", "second_share": "0"}
                assert browser.submit(form, **given).status_code in (403, 409), (role, form)
                assert _last(desk).action in {"wrong role", "fresh code"}
            sounds = browser.get(f"/recordings/{recording}/sound", headers=_PLAY)
            assert sounds.status_code == 403
    assert desk.vault.find("last").id == recording


def test_nothing_is_shown_without_signing_in(desk: Desk):
    browser = Browser(desk)
    for place in ("/review", "/owner", "/recordings", "/people", "/audit", "/account"):
        assert browser.get(place).headers["location"] == "/sign-in"
    assert browser.get("/openapi.json").status_code == 404
    assert browser.get("/docs").status_code == 404


def test_clips_of_others_and_guessed_ids_are_refused_on_record(desk: Desk, reviewer: Person):
    other = join(desk, f"rob{clock_of(desk).now.timestamp():.0f}", REVIEWER)
    old = Browser(desk, reviewer).clip()
    Browser(desk, reviewer).submit(f"/clips/{old}/skip")
    mine = Browser(desk, reviewer).clip()
    browser = Browser(desk, other)
    assert browser.clip() != mine
    recording = desk.vault.find("last").id
    for clip in (mine, recording, "0" * 32):
        assert browser.get(f"/clips/{clip}/sound", headers=_PLAY).status_code == 403
        last = _last(desk)
        assert (last.actor, last.outcome) == (other.pseudonym, "refused")
        answer = browser.submit(f"/clips/{clip}/label", verdict="real", noise="none")
        assert answer.status_code == 409
        assert _last(desk).outcome == "refused"
    Browser(desk, reviewer).submit(f"/clips/{mine}/skip")


def test_a_browser_that_is_sent_to_the_sound_gets_nothing(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    clip = browser.clip()
    assert browser.get(f"/clips/{clip}/sound").status_code == 403
    answer = browser.get(f"/clips/{clip}/sound", headers=_PLAY)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "content-disposition" not in answer.headers
    samples = (6000 * np.sin(np.arange(16000) / 9)).astype(np.int16)
    assert answer.content == sound.to_wav(samples)
    assert answer.content[12:16] == b"fmt "
    assert answer.content[36:40] == b"data"  # no other chunk


def test_voices_are_disguised_if_the_owner_wants_it(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    clip = browser.clip()
    plain = browser.get(f"/clips/{clip}/sound", headers=_PLAY).content
    allow_review(desk, disguise=True)
    other = browser.get(f"/clips/{clip}/sound", headers=_PLAY).content
    allow_review(desk)
    assert len(other) == len(plain)
    assert other != plain


def test_oversized_bodies_are_refused(desk: Desk, reviewer: Person):
    browser = Browser(desk, reviewer)
    assert browser.post("/sign-in", data={"name": "x" * LARGEST_BODY}).status_code == 413

    def stream() -> Iterator[bytes]:
        for _ in range(100):
            yield b"name=" + b"x" * 4096

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=stream(), headers=kind).status_code == 413
    assert browser.post("/sign-in", data={"name": "x" * 300}).status_code == 422


def test_a_validation_error_repeats_nothing(desk: Desk):
    answer = Browser(desk).post("/sign-in", data={"name": "secretive" * 50})
    assert "secretive" not in answer.text


def test_without_the_log_nothing_happens(desk: Desk, reviewer: Person):
    """Fail closed: no page, no sound, no sign-in when the entry can't be written."""
    browser = Browser(desk, reviewer)
    clip = browser.clip()
    with desk.vault.engine.begin() as connection:
        connection.execute(text("ALTER TABLE review_audit RENAME TO hidden"))
    try:
        assert browser.get(f"/clips/{clip}/sound", headers=_PLAY).status_code == 500
        assert browser.get("/review").status_code in (200, 500)
        assert Browser(desk).sign_in(reviewer).status_code == 500
    finally:
        with desk.vault.engine.begin() as connection:
            connection.execute(text("ALTER TABLE hidden RENAME TO review_audit"))


def test_the_app_describes_no_server(desk: Desk):
    answer = Browser(desk).get("/sign-in")
    assert "server" not in answer.headers
    for name in ("x-content-type-options", "referrer-policy", "strict-transport-security"):
        assert name in answer.headers


def test_who_is_closed_is_out_at_once(desk: Desk, owner: Person):
    person = join(desk, "short-timer", REVIEWER)
    browser, boss = Browser(desk, person), Browser(desk, owner)
    assert browser.get("/review").status_code == 200
    form = f"/people/{person.account_id}/disable"
    assert boss.submit(form, code=owner.code()).status_code == 303
    assert browser.get("/review").headers["location"] == "/sign-in"
    assert Browser(desk).sign_in(person).status_code == 403


def test_an_invitation_expires_and_works_once(desk: Desk, owner: Person):
    boss = Browser(desk, owner)
    page = boss.submit("/people", name="late", role=REVIEWER, code=owner.code()).text
    found = re.search(r'id="invitation">([^<]+)<', page)
    assert found
    fields = {"invitation": found[1], "password": PASSWORD, "again": PASSWORD}
    clock_of(desk).forward(hours=25)
    assert Browser(desk).post("/enrol", data=fields).status_code == 403


def test_secrets_are_sealed_in_the_database(desk: Desk, reviewer: Person):
    with desk.reading() as session:
        rows = session.execute(text("SELECT * FROM review_accounts")).mappings().all()
    assert reviewer.secret not in json.dumps([{k: str(v) for k, v in row.items()} for row in rows])
    assert codes.STEP_SECONDS == 30
    assert timedelta(minutes=30) >= logins.IDLE

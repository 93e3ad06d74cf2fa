"""Review in a real browser: enrol, review by keyboard, flag, be stopped, be withdrawn from."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from threading import Thread
from typing import Any

import pytest
import uvicorn
from sqlalchemy import select

from bluering.review import owner as owners
from bluering.review import server
from bluering.review.auth import accounts
from bluering.review.desk import Desk
from bluering.review.models import AUDITOR, OWNER, REVIEWER, ROLES, Account, Clip, Label
from bluering.review.sampling import policy_of
from bluering.review.web.visit import COOKIE
from tests.unit import vault_world
from tests.unit.review_world import clock_of, fill, open_desk
from tests.web.browser import find_browser
from tests.web.review_site import PASSWORD, Browser, allow_review, join

playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_CAP = 7
SHOTS = os.environ.get("BLUERING_SCREENSHOTS")
"""A folder that pictures of all pages are written to, if given."""


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    path = find_browser()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        fill(desk, 1200)
        allow_review(desk, hourly_cap=_CAP)
        yield desk


@pytest.fixture(scope="module")
def site(desk: Desk) -> Iterator[str]:
    with _served(desk) as address:
        yield address


@contextmanager
def _served(desk: Desk) -> Iterator[str]:
    # Listening before the server starts, so that who calls early waits instead of being refused.
    listening = socket.create_server(("127.0.0.1", 0))
    place = server.Place(port=listening.getsockname()[1])
    running = uvicorn.Server(server.config(desk, place))
    thread = Thread(target=running.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield place.address
    finally:
        running.should_exit = True
        thread.join()


def _page(chromium, site: str, **options):
    page = chromium.new_context(base_url=site, **options).new_page()
    page.set_default_timeout(20_000)
    return page


def _signed_in(chromium, site: str, token: str, **options):
    page = _page(chromium, site, **options)
    _become(page, site, token)
    return page


def _become(page, site: str, token: str) -> None:
    # A __Host- cookie is only taken for https; browsers then send it to this computer over http.
    url = site.replace("http:", "https:")
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": url, "secure": True}])


def _ready(page) -> str:
    """Wait for the clip's sound; returns the clip's id."""
    page.wait_for_selector("#state:has-text('ready')")
    return page.get_attribute("#player", "data-clip")


def _code(desk: Desk, secret: str) -> str:
    from pyotp.totp import TOTP

    clock_of(desk).forward(seconds=30)
    return TOTP(secret).at(desk.clock())


def test_a_reviewers_first_hour(chromium, desk: Desk, site: str):
    """Enrol, sign out and in, review five clips by keyboard, flag one, be stopped by the cap."""
    with desk.act() as act:
        invitation = accounts.invite(act, "system", "rita", REVIEWER)
    page = _page(chromium, site)
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))

    page.goto("/enrol")
    page.fill("[name=invitation]", invitation)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".qr svg")
    secret = page.inner_text("main code")
    page.fill("[name=code]", _code(desk, secret))
    page.keyboard.press("Enter")
    page.wait_for_selector(".codes")
    assert page.locator(".codes li").count() == 8

    page.goto("/")
    page.click("text=Sign out")
    page.fill("[name=name]", "rita")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=code]", _code(desk, secret))
    page.keyboard.press("Enter")

    clips = []
    for _ in range(5):
        clips.append(_ready(page))
        page.keyboard.press("Space")
        page.wait_for_selector("#state:has-text('playing')")
        page.keyboard.press("2")
        page.keyboard.press("5")
        page.keyboard.press("l")
        page.keyboard.type("a lexus")
        page.keyboard.press("Escape")
        page.keyboard.press("t")
        page.keyboard.type("1 2 space c d s")
        page.keyboard.press("Escape")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    assert len(set(clips)) == 5

    critical = _ready(page)
    page.keyboard.press("Space")
    page.wait_for_selector("#state:has-text('playing')")
    with page.expect_navigation():
        page.keyboard.press("c")
    assert _ready(page) != critical
    with page.expect_navigation():
        page.keyboard.press("s")
    page.wait_for_selector("text=enough for this hour")
    with desk.reading() as session:
        seen = owners.overview(session)
    assert len(seen.quarantined) == 1
    assert dict(seen.causes) == {"a lexus": 5}

    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.goto("/review")
    assert page.url.endswith("/sign-in")
    assert problems == []
    page.context.close()


def test_the_sound_stops_before_the_flag_is_sent(chromium, desk: Desk, site: str):
    page = _signed_in(chromium, site, join(desk, "dora", REVIEWER).token)
    page.goto("/review")
    _ready(page)
    page.keyboard.press("Space")
    page.evaluate(
        "HTMLFormElement.prototype.requestSubmit ="
        " function () { window.sent = [this.id, sound.source, sound.buffer]; }"
    )
    page.keyboard.press("c")
    assert page.evaluate("sent") == ["critical", None, None]
    page.context.close()


def test_withdrawn_consent_empties_the_page_in_mid_review(chromium, desk: Desk, site: str):
    reviewer, owner = join(desk, "ben", REVIEWER), join(desk, "olga", OWNER)
    page = _signed_in(chromium, site, reviewer.token)
    page.goto("/review")
    clip = _ready(page)
    page.keyboard.press("Space")
    boss = _signed_in(chromium, site, owner.token)
    boss.goto("/owner")
    boss.click("text=Withdraw: nobody reviews")
    boss.wait_for_selector("text=Review is off")
    page.wait_for_selector("text=no longer yours to review")
    assert page.evaluate("[sound.source, sound.buffer]") == [None, None]
    assert page.locator("canvas").count() == 0
    fetched = page.evaluate(
        "id => fetch(`/clips/${id}/sound`, {headers: {'X-Review': 'play'}}).then(a => a.status)",
        clip,
    )
    assert fetched == 403
    page.context.close()
    boss.context.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source; skips where it isn't installed."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core isn't installed")
    return files(package).joinpath("axe.min.js").read_text()


@pytest.fixture(scope="module")
def people(desk: Desk) -> dict[str, str]:
    """A cookie of each kind of visitor, and something on every page."""
    fill(desk, 2200, tag="d")
    allow_review(desk, second_share=100)
    known = {role: join(desk, f"look-{role}", role) for role in ROLES}
    _review_some(desk)
    allow_review(desk)
    clock_of(desk).forward(minutes=6)  # sensitive forms ask for a code again
    tokens = {role: person.token for role, person in known.items()}
    return tokens | {"secret": known[OWNER].secret}


def _invited(desk: Desk, name: str) -> str:
    with desk.act() as act:
        invitation = accounts.invite(act, "system", name, REVIEWER)
    return accounts.accept(desk, invitation, PASSWORD, "192.0.2.1")


def _review_some(desk: Desk) -> None:
    """Labels, flags and false wakes, so that the owner's pages have what they can have."""
    busy, other = (Browser(desk, join(desk, f"look-busy-{n}", REVIEWER)) for n in range(2))
    said = "please order three hundred metres of the longestunbrokenwordthattherecouldbe " * 3
    for browser in (busy, other):
        for verdict, cause in (("false", "a lexus"), ("false", ""), ("real", "")):
            answer = {"verdict": verdict, "cause": cause, "noise": "child", "transcript": said}
            browser.submit(f"/clips/{browser.clip()}/label", **answer)
    for kind in ("critical", "distress"):
        busy.submit(f"/clips/{busy.clip()}/{kind}")


@dataclass(frozen=True)
class _View:
    """A page as somebody sees it, after an act if need be."""

    who: str
    place: str
    act: Callable[[Any, Desk, str], object] | None = None


def _enrol(page, desk: Desk, secret: str) -> None:
    del secret
    page.fill("[name=code]", _code(desk, page.inner_text("main code")))
    page.click("main button")
    page.wait_for_selector(".codes")


def _invite(page, desk: Desk, secret: str) -> None:
    page.fill("[name=name]", f"guest-{next(_numbers)}")
    page.fill("[name=code]", _code(desk, secret))
    page.click("main form button")
    page.wait_for_selector("#invitation")
    clock_of(desk).forward(minutes=6)


def _fail(page, desk: Desk, secret: str) -> None:
    del desk, secret
    for name in ("name", "password", "code"):
        page.fill(f"[name={name}]", "nobody")
    page.click("main button")
    page.wait_for_selector("[role=alert]")


def _be_stopped(page, desk: Desk, secret: str) -> None:
    del secret
    with desk.act() as act:
        policy_of(act.session).open = False
    page.goto("/review")
    page.wait_for_selector("[role=status]")
    with desk.act() as act:
        policy_of(act.session).open = True


def _lose_the_clip(page, desk: Desk, secret: str) -> None:
    del desk, secret
    page.evaluate("withdraw()")


_numbers = count()
_VIEWS = {
    "sign-in": _View("nobody", "/sign-in"),
    "sign-in-failed": _View("nobody", "/sign-in", _fail),
    "enrol": _View("nobody", "/enrol"),
    "enrol-code": _View("new", "/enrol/code"),
    "recovery": _View("ready", "/enrol/code", _enrol),
    "review": _View(REVIEWER, "/review", lambda page, *_: _ready(page)),
    "review-gone": _View(REVIEWER, "/review", _lose_the_clip),
    "review-stopped": _View(REVIEWER, "/account", _be_stopped),
    "refused": _View(REVIEWER, "/owner"),
    "account": _View(REVIEWER, "/account"),
    "owner": _View(OWNER, "/owner"),
    "recordings": _View(OWNER, "/recordings"),
    "recording": _View(OWNER, "/recordings/LABELLED"),
    "recording-distress": _View(OWNER, "/recordings/DISTRESS"),
    "people": _View(OWNER, "/people"),
    "person": _View(OWNER, "/people/SOMEBODY"),
    "people-invited": _View(OWNER, "/people", _invite),
    "log": _View(AUDITOR, "/audit"),
}
_LOOKS = [(390, "dark"), (1280, "light")]
if SHOTS:
    _LOOKS += [(390, "light"), (1280, "dark")]


def _place(desk: Desk, place: str) -> str:
    with desk.reading() as session:
        labelled = session.scalars(select(Clip.recording_id).join(Label)).first()
        somebody = session.scalars(select(Account.id).filter_by(role=AUDITOR)).first()
        [distressed] = owners.overview(session).distress
    for name, known in (("LABELLED", labelled), ("DISTRESS", distressed), ("SOMEBODY", somebody)):
        place = place.replace(name, known or "")
    return place


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), _LOOKS)
def test_pages_are_accessible_and_fit(
    chromium, desk: Desk, site: str, axe: str, people: dict[str, str], width: int, scheme: str
):
    """axe-core finds nothing serious, nothing is wider than the window; takes pictures if asked."""
    for who in ("new", "ready"):
        people[who] = _invited(desk, f"{who}-{width}-{scheme}")
    # The pages' policy would keep the checker out.
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = _page(chromium, site, bypass_csp=True, **options)
    found = {}
    for name, view in _VIEWS.items():
        _become(page, site, people.get(view.who, "none"))
        page.goto(_place(desk, view.place))
        assert page.url.endswith(_place(desk, view.place))
        if view.act:
            view.act(page, desk, people["secret"])
        serious = _violations(page, axe)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if serious or wide > 0:
            found[name] = (serious, wide)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
    page.context.close()
    assert found == {}


def _violations(page, axe: str) -> list[str]:
    page.evaluate(axe)
    answer = page.evaluate("axe.run()")
    assert answer["passes"], "axe-core checked nothing"
    return [
        f"{problem['id']}: {problem['nodes'][0]['html']}"
        for problem in answer["violations"]
        if problem["impact"] in ("serious", "critical")
    ]

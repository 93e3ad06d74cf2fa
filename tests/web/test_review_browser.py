"""Review in a real browser: enrol, review by keyboard, flag, be stopped, be withdrawn from."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from bluering.review import owner as owners
from bluering.review import server
from bluering.review.auth import accounts
from bluering.review.desk import Desk
from bluering.review.models import OWNER, REVIEWER
from bluering.review.web.visit import COOKIE
from tests.unit import vault_world
from tests.unit.review_world import clock_of, fill, open_desk
from tests.web.browser import find_browser
from tests.web.review_site import PASSWORD, allow_review, join

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
_CACHE = Path(__file__).parents[2] / ".cache"
_AXE = "axe-core@4"
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = server.Place(port=port)
    running = uvicorn.Server(server.config(desk, place))
    thread = Thread(target=running.run, daemon=True)
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
    # A __Host- cookie is only taken for https; browsers then send it to this computer over http.
    url = site.replace("http:", "https:")
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": url, "secure": True}])
    return page


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
    """axe-core's source, fetched once with npm; skips where it can't be had."""
    script = _CACHE / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        command = ["npm", "install", "--silent", "--no-save", "--prefix", script.parents[2], _AXE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"axe-core can't be fetched with npm: {error}")
    return script.read_text()


_LOOKS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def people(desk: Desk) -> dict[str, str]:
    """A cookie of each role, and pages with something on them."""
    fill(desk, 600, tag="d")
    allow_review(desk)
    tokens = {role: join(desk, f"look-{role}", role).token for role in (OWNER, REVIEWER)}
    with desk.act() as act:
        invitation = accounts.invite(act, "system", "look-new", REVIEWER)
    tokens["new"] = accounts.accept(desk, invitation, PASSWORD, "192.0.2.1")
    return tokens


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), _LOOKS)
def test_pages_are_accessible_and_fit(
    chromium, desk: Desk, site: str, axe: str, people: dict[str, str], width: int, scheme: str
):
    recording = desk.vault.find("last").id
    places = {
        "/sign-in": "",
        "/enrol": "",
        "/enrol/code": people["new"],
        "/review": people[REVIEWER],
        "/account": people[REVIEWER],
        "/owner": people[OWNER],
        "/recordings": people[OWNER],
        f"/recordings/{recording}": people[OWNER],
        "/people": people[OWNER],
        "/audit": people[OWNER],
    }
    found = {}
    for place, token in places.items():
        # The pages' policy would keep the checker out.
        options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        page = _signed_in(chromium, site, token or "none", bypass_csp=True, **options)
        page.goto(place)
        assert page.url.endswith(place)
        if place == "/review":
            _ready(page)
        page.evaluate(axe)
        answer = page.evaluate("axe.run()")
        serious = [
            f"{problem['id']}: {problem['nodes'][0]['html']}"
            for problem in answer["violations"]
            if problem["impact"] in ("serious", "critical")
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if serious or wide > 0:
            found[place] = (serious, wide)
        if SHOTS:
            name = re.sub(r"\W+", "-", place[:15].strip("/"))
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png", full_page=True)
        page.context.close()
    assert found == {}

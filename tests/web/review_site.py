"""The review application with people in it, for tests that talk HTTP to it."""

import re
from dataclasses import dataclass, field
from html import unescape

from sqlalchemy import delete
from starlette.testclient import TestClient

from bluering.review.auth import accounts, codes, logins
from bluering.review.desk import Desk
from bluering.review.models import Account, Attempts, Login
from bluering.review.owner import set_policy
from bluering.review.web.app import make_app
from bluering.review.web.visit import COOKIE
from tests.unit.review_world import clock_of

ORIGIN = "https://review.test"
PASSWORD = "seven brown larks counted twice"


@dataclass
class Person:
    """Somebody with an account and an authenticator app."""

    name: str
    account_id: str
    pseudonym: str
    secret: str
    recovery: list[str]
    token: str
    desk: Desk = field(repr=False)

    def code(self) -> str:
        """What the app shows now."""
        from pyotp.totp import TOTP

        return TOTP(self.secret).at(self.desk.clock())


def join(desk: Desk, name: str, role: str) -> Person:
    """Invite and enrol somebody, without the pages; their next code is half a minute away."""
    with desk.act() as act:
        invitation = accounts.invite(act, "system", name, role)
    token = accounts.accept(desk, invitation, PASSWORD, "192.0.2.1")
    visitor = logins.find(desk, token)
    assert visitor is not None
    with desk.reading() as session:
        account = session.get_one(Account, visitor.account_id)
    secret = codes.secret_of(desk.seal, account)
    person = Person(name, account.id, account.pseudonym, secret, [], "", desk)
    person.token, person.recovery = accounts.enrol(desk, visitor, person.code())
    clock_of(desk).forward(seconds=30)
    return person


def rest(desk: Desk, *people: Person, fresh: bool = False) -> None:
    """An hour passes: nobody is blocked, nobody's login is old, the hour's cap is unused."""
    clock_of(desk).forward(minutes=61)
    with desk.act() as act:
        act.session.execute(delete(Attempts))
        for person in people:
            logins.close_all(act, person.account_id)
            login = Login(
                token_hash=logins._hash(person.token),
                account_id=person.account_id,
                enrolling=False,
                made_at=act.now,
                seen_at=act.now,
                fresh_until=act.now + logins.FRESH if fresh else None,
            )
            act.session.add(login)


def allow_review(desk: Desk, share: int = 10_000, hourly_cap: int = 60, **rules) -> None:
    """Switch review on."""
    given = {"second_share": 0, "disguise": False, **rules}
    with desk.act() as act:
        set_policy(act, "owner", open=True, share=share, hourly_cap=hourly_cap, **given)


class Browser(TestClient):
    """Talks to the application as a browser does; errors become answers, as on a server."""

    def __init__(self, desk: Desk, person: Person | None = None) -> None:
        super().__init__(
            make_app(desk, ORIGIN),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN},
            follow_redirects=False,
            raise_server_exceptions=False,
        )
        if person is not None:
            self.cookies.set(COOKIE, person.token, domain="review.test")

    def csrf(self, page: str) -> str:
        """The hidden field of a page's forms."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(page).text)
        assert found, page
        return found[1]

    def submit(self, form: str, page: str = "/account", **fields: str):
        """Fill in a form that stands on ``page``."""
        return self.post(form, data={"csrf": self.csrf(page), **fields})

    def sign_in(self, person: Person, **changed: str):
        """By the form."""
        fields = {"name": person.name, "password": PASSWORD, "code": person.code(), **changed}
        return self.post("/sign-in", data=fields)

    def clip(self) -> str | None:
        """The id of the clip that the page shows, if any."""
        found = re.search(r'data-clip="([0-9a-f]{32})"', self.get("/review").text)
        return found and found[1]


def words(html: str) -> str:
    """A page's text."""
    return unescape(re.sub(r"<[^>]+>", " ", html))

"""Browsers that are signed in: a random cookie each, of which the database has only a hash."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, or_, select

from bluering.review.desk import Act, Desk
from bluering.review.models import Account, Login

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=5)
ENROLMENT = timedelta(minutes=15)
_TOKEN_BYTES = 32
_TOUCH_AFTER = timedelta(minutes=1)
"""How exactly the last request is remembered; spares a write for each."""


@dataclass(frozen=True)
class Visitor:
    """Who sent a request."""

    account_id: str
    pseudonym: str
    role: str
    token_hash: str
    csrf: str
    enrolling: bool
    fresh: bool
    """Whether they have shown a code just now."""


def open_login(act: Act, account: Account, enrolling: bool = False) -> str:
    """A new cookie for an account; those that have expired are cleared away."""
    act.session.execute(
        delete(Login).where(or_(Login.made_at < act.now - ABSOLUTE, Login.seen_at < act.now - IDLE))
    )
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    act.session.add(
        Login(
            token_hash=_hash(token),
            account_id=account.id,
            enrolling=enrolling,
            made_at=act.now,
            seen_at=act.now,
            fresh_until=None if enrolling else act.now + FRESH,
        )
    )
    return token


def find(desk: Desk, token: str, touch: bool = True) -> Visitor | None:
    """Whose cookie it is; ``touch``: the visit keeps the login from going idle."""
    now = desk.clock()
    query = select(Login, Account).join(Account).where(Login.token_hash == _hash(token))
    with desk.reading() as session:
        row = session.execute(query).one_or_none()
        if row is None:
            return None
        login, account = row
        lifetime = ENROLMENT if login.enrolling else ABSOLUTE
        gone = now >= min(login.made_at + lifetime, login.seen_at + IDLE)
        if gone or not (account.active or login.enrolling):
            return None
        if touch and now - login.seen_at >= _TOUCH_AFTER:
            login.seen_at = now
            session.commit()
    return Visitor(
        account.id,
        account.pseudonym,
        account.role,
        login.token_hash,
        _csrf(token),
        login.enrolling,
        fresh=login.fresh_until is not None and now < login.fresh_until,
    )


def close(act: Act, visitor: Visitor) -> None:
    """Sign this browser out."""
    act.session.execute(delete(Login).where(Login.token_hash == visitor.token_hash))


def close_all(act: Act, account_id: str) -> None:
    """Sign an account out everywhere."""
    act.session.execute(delete(Login).where(Login.account_id == account_id))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _csrf(token: str) -> str:
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()

"""Signing in, and showing a fresh code before a sensitive act.

Password and code are asked for together and there is one answer for everything that can be wrong,
so that nobody learns which accounts there are or which half was right.
"""

from sqlalchemy import select

from bluering.review.audit.log import NOBODY
from bluering.review.auth import codes, limits, logins, passwords
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError
from bluering.review.models import Account, Login

FAILED = "That didn't work. Check the name, the password and the code; each code works once."
TOO_OFTEN = "Too many attempts. Wait a while before the next one."


class TooOftenError(RefusedError):
    """A guess that came too early."""


def sign_in(desk: Desk, name: str, password: str, code: str, address: str) -> str:
    """The new cookie. Raises RefusedError, and TooOftenError without having looked."""
    counted = [limits.of_name(name), limits.of_address(address)]
    with desk.act() as act:
        refused = limits.reserve(act, counted, address=address)
    if refused is None:
        raise TooOftenError(TOO_OFTEN)
    with desk.reading() as session:
        known = session.scalars(select(Account).filter_by(name=name.casefold())).one_or_none()
    stored = known.password_hash if known and known.active else None
    right = passwords.matches(stored, password)
    with desk.act() as act:
        account = act.session.get(Account, known.id) if known else None
        if not (right and account and account.active and codes.use(act, account, code)):
            who = account.pseudonym if account else NOBODY
            act.log(who, "sign in", outcome="failed", address=address, refused_before=refused)
            token = None
        else:
            limits.forgive(act, counted[:1])
            limits.spare(act, counted[1:])
            token = logins.open_login(act, account)
            act.log(account.pseudonym, "sign in", address=address, refused_before=refused)
    if token is None:
        raise RefusedError(FAILED)
    return token


def sign_out(desk: Desk, visitor: logins.Visitor) -> None:
    """The cookie stops working."""
    with desk.act() as act:
        logins.close(act, visitor)
        act.log(visitor.pseudonym, "sign out")


def freshen(desk: Desk, visitor: logins.Visitor, code: str) -> None:
    """Take a code before a sensitive act, unless one was shown just now. Raises RefusedError."""
    if visitor.fresh:
        return
    counted = [limits.of_name(visitor.account_id)]
    with desk.act() as act:
        if limits.reserve(act, counted) is None:
            raise TooOftenError(TOO_OFTEN)
        account = act.session.get_one(Account, visitor.account_id)
        right = codes.use(act, account, code)
        act.log(visitor.pseudonym, "fresh code", outcome="ok" if right else "failed")
        if right:
            limits.forgive(act, counted)
            login = act.session.get_one(Login, visitor.token_hash)
            login.fresh_until = act.now + logins.FRESH
    if not right:
        raise RefusedError("That code didn't work; each code works once.")

"""Accounts: the owner invites people; they choose a password and enrol their second factor."""

import hashlib
import re
import secrets
from datetime import timedelta

from sqlalchemy import delete, select

from bluering.review.audit.log import NOBODY
from bluering.review.auth import codes, limits, logins, passwords
from bluering.review.auth.signin import TOO_OFTEN, TooOftenError
from bluering.review.desk import Act, Desk, new_id
from bluering.review.errors import RefusedError
from bluering.review.models import OWNER, ROLES, Account, RecoveryCode

INVITATION_LIFETIME = timedelta(days=1)
_NAME = re.compile(r"[\w.@+-]{1,64}")
_NO_INVITATION = "There is no such invitation, or it has expired. Ask for a new one."


def invite(act: Act, by: str, name: str, role: str) -> str:
    """A new account's invitation, which works once. Raises RefusedError."""
    name = name.strip().casefold()
    if not _NAME.fullmatch(name):
        raise RefusedError("A name has up to 64 letters, digits or . _ @ + - and no spaces.")
    if role not in ROLES:
        raise RefusedError("There is no such role.")
    if act.session.scalars(select(Account.id).filter_by(name=name)).first():
        raise RefusedError("There is an account of this name already.")
    account = Account(
        id=new_id(),
        name=name,
        pseudonym=f"{role}-{secrets.token_hex(3)}",
        role=role,
        active=False,
        totp_step=0,
        made_at=act.now,
    )
    act.session.add(account)
    act.log(by, "invite", account.pseudonym, role=role)
    return _new_invitation(act, account)


def reset(act: Act, by: str, account_id: str) -> str:
    """Take an account's password, second factor and logins away; returns a new invitation."""
    account = _other(act, by, account_id)
    _close(act, by, account)
    act.log(by, "reset", account.pseudonym)
    return _new_invitation(act, account)


def reset_by_name(act: Act, by: str, name: str) -> str:
    """As ``reset``, for whoever has the vault: the last owner's account too."""
    query = select(Account).filter_by(name=name.strip().casefold())
    account = act.session.scalars(query).one_or_none()
    if account is None:
        raise RefusedError("There is no such account.")
    _close(act, by, account)
    act.log(by, "reset", account.pseudonym)
    return _new_invitation(act, account)


def disable(act: Act, by: str, account_id: str) -> None:
    """Close an account at once."""
    _close(act, by, _other(act, by, account_id))


def _close(act: Act, by: str, account: Account) -> None:
    account.active = False
    account.password_hash = account.totp_secret = None
    account.invitation_hash = account.invited_until = None
    act.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    logins.close_all(act, account.id)
    act.log(by, "disable", account.pseudonym)


def accept(desk: Desk, invitation: str, password: str, address: str) -> str:
    """Choose a password by an invitation; returns a cookie that is good for enrolling only."""
    hashed = _hash(invitation.strip())
    counted = [limits.of_address(address)]
    with desk.act() as act:
        if limits.reserve(act, counted, address=address) is None:
            raise TooOftenError(TOO_OFTEN)
        invited = _invited(act, hashed)
        if invited is None:
            act.log(NOBODY, "enrol", outcome="failed", address=address)
        else:
            limits.spare(act, counted)
    if invited is None:
        raise RefusedError(_NO_INVITATION)
    stored = passwords.hash_new(password, invited.name)
    with desk.act() as act:
        account = _invited(act, hashed)
        if account is None:
            raise RefusedError(_NO_INVITATION)
        account.password_hash = stored
        codes.seal_secret(act.seal, account, codes.new_secret())
        logins.close_all(act, account.id)
        act.log(account.pseudonym, "password chosen", address=address)
        return logins.open_login(act, account, enrolling=True)


def enrolment(desk: Desk, visitor: logins.Visitor) -> tuple[str, str]:
    """The secret that is being enrolled, and its QR code as SVG."""
    with desk.reading() as session:
        account = session.get_one(Account, visitor.account_id)
    secret = codes.secret_of(desk.seal, account)
    return secret, codes.qr_code(secret, account.name)


def enrol(desk: Desk, visitor: logins.Visitor, code: str) -> tuple[str, list[str]]:
    """End of enrolment: a code was shown. Returns the cookie and the recovery codes."""
    counted = [limits.of_name(visitor.account_id)]
    with desk.act() as act:
        if limits.reserve(act, counted) is None:
            raise TooOftenError(TOO_OFTEN)
        account = act.session.get_one(Account, visitor.account_id)
        opened = None
        if account.invitation_hash is not None and codes.use(act, account, code):
            limits.forgive(act, counted)
            account.active, account.invitation_hash, account.invited_until = True, None, None
            logins.close_all(act, account.id)
            opened = logins.open_login(act, account), codes.new_recovery_codes(act.session, account)
        act.log(account.pseudonym, "enrol", outcome="ok" if opened else "failed")
    if opened is None:
        raise RefusedError("That code didn't work. Wait for the next one and try again.")
    return opened


def change_password(desk: Desk, visitor: logins.Visitor, old: str, new: str) -> str:
    """Signs the account out everywhere; returns the cookie of a new login."""
    counted = [limits.of_name(visitor.account_id)]
    with desk.act() as act:
        if limits.reserve(act, counted) is None:
            raise TooOftenError(TOO_OFTEN)
        account = act.session.get_one(Account, visitor.account_id)
    right = passwords.matches(account.password_hash, old)
    stored = passwords.hash_new(new, account.name) if right else None
    with desk.act() as act:
        account = act.session.get_one(Account, visitor.account_id)
        act.log(account.pseudonym, "change password", outcome="ok" if right else "failed")
        token = None
        if right:
            limits.forgive(act, counted)
            account.password_hash = stored
            logins.close_all(act, account.id)
            token = logins.open_login(act, account)
    if token is None:
        raise RefusedError("The old password isn't right.")
    return token


def renew_recovery_codes(desk: Desk, visitor: logins.Visitor) -> list[str]:
    """New recovery codes; the earlier ones no longer work."""
    with desk.act() as act:
        act.log(visitor.pseudonym, "new recovery codes")
        account = act.session.get_one(Account, visitor.account_id)
        return codes.new_recovery_codes(act.session, account)


def _new_invitation(act: Act, account: Account) -> str:
    invitation = secrets.token_urlsafe(16)
    account.invitation_hash = _hash(invitation)
    account.invited_until = act.now + INVITATION_LIFETIME
    return invitation


def _invited(act: Act, hashed: str) -> Account | None:
    account = act.session.scalars(select(Account).filter_by(invitation_hash=hashed)).one_or_none()
    late = account is None or account.invited_until is None or account.invited_until <= act.now
    return None if late else account


def _other(act: Act, by: str, account_id: str) -> Account:
    account = act.session.get(Account, account_id)
    if account is None:
        raise RefusedError("There is no such account.")
    owners = select(Account.id).filter_by(role=OWNER, active=True)
    if account.pseudonym == by or list(act.session.scalars(owners)) == [account_id]:
        raise RefusedError("That would lock you out.")
    return account


def _hash(invitation: str) -> str:
    return hashlib.sha256(invitation.encode()).hexdigest()

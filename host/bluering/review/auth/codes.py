"""One-time codes: TOTP (RFC 6238, 30 s, SHA-1, six digits, as every app has it), recovery codes."""

import base64
import hashlib
import secrets
from datetime import datetime

import segno
from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bluering.review.desk import Act
from bluering.review.models import Account, RecoveryCode
from bluering.review.sealing import Seal

STEP_SECONDS = 30
_ISSUER = "BlueRing review"
_RECOVERY_CODES = 8
_RECOVERY_BYTES = 15
_GRACE_SECONDS = 5
"""A code is taken this long after its step: it takes time to type and to send (RFC 6238, 5.2)."""


def new_secret() -> str:
    """160 random bits, base32."""
    return random_base32()


def seal_secret(seal: Seal, account: Account, secret: str) -> None:
    """Give an account its secret."""
    account.totp_secret = seal.close(secret.encode(), _place(account))


def secret_of(seal: Seal, account: Account) -> str:
    """An account's secret."""
    assert account.totp_secret is not None
    return seal.open(account.totp_secret, _place(account)).decode()


def qr_code(secret: str, name: str) -> str:
    """An SVG that authenticator apps scan."""
    uri = TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)
    return segno.make(uri, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff")


def use(act: Act, account: Account, code: str) -> bool:
    """Whether the code is good; a good one is used up."""
    code = code.replace(" ", "").replace("-", "")
    return _use_totp(act.seal, account, code, act.now) or _use_recovery(act, account, code)


def new_recovery_codes(session: Session, account: Account) -> list[str]:
    """Codes to write down; earlier ones no longer work."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = [_readable(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(_RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(hash=_hash(code.replace("-", "")), account_id=account.id) for code in codes
    )
    return codes


def _use_totp(seal: Seal, account: Account, code: str, now: datetime) -> bool:
    if account.totp_secret is None or not (code.isascii() and code.isdigit()):
        return False
    totp = TOTP(secret_of(seal, account))
    second = int(now.timestamp())
    for step in sorted({moment // STEP_SECONDS for moment in (second - _GRACE_SECONDS, second)}):
        right = secrets.compare_digest(totp.at(step * STEP_SECONDS), code)
        if right and step > account.totp_step:
            account.totp_step = step
            return True
    return False


def _use_recovery(act: Act, account: Account, code: str) -> bool:
    row = act.session.get(RecoveryCode, _hash(code.upper()))
    if row is None or row.account_id != account.id:
        return False
    act.session.delete(row)
    act.log(account.pseudonym, "recovery code used")
    return True


def _readable(random: bytes) -> str:
    letters = base64.b32encode(random).decode()
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _place(account: Account) -> str:
    return f"totp {account.id}"

"""Passwords: argon2id, 15 to 128 characters, none that is easily guessed.

zxcvbn knows the common passwords, words, names and keyboard patterns, also when they are strung
together to reach the length. Parameters of argon2id: RFC 9106's second recommendation.
"""

from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from zxcvbn import zxcvbn

from bluering.review.errors import RefusedError

SHORTEST, LONGEST = 15, 128
_FEWEST_GUESSES = 10
"""As a power of ten."""
_JUDGED = 72
"""zxcvbn takes no more characters."""

_hasher = PasswordHasher()
_turns = Semaphore(2)  # each takes 64 MiB
_NOBODYS = _hasher.hash("the password of an account that doesn't exist")


def hash_new(password: str, name: str) -> str:
    """What to store of a new password. Raises RefusedError when it is no good one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise RefusedError(f"The password needs {SHORTEST} to {LONGEST} characters.")
    judged = zxcvbn(password[:_JUDGED], user_inputs=[name, "bluering"])
    if float(judged["guesses_log10"]) < _FEWEST_GUESSES:
        raise RefusedError("This password is one of the common ones. Take another.")
    with _turns:
        return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the password; takes as long where there is none."""
    if len(password) > LONGEST:
        password = ""
    try:
        with _turns:
            return _hasher.verify(stored or _NOBODYS, password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False

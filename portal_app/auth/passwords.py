"""Passwords: argon2id, the same time for the unknown address as for the known one."""

import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn_rs_py import zxcvbn

from portal_app.auth import breached
from portal_app.settings import settings

SHORTEST = 12
LONGEST = 128
# zxcvbn's time grows with the square of the length: 70 ms for 128 characters, 4 for 40.
_JUDGED = 40

# OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The argon2id hash. Takes tens of milliseconds: never on the event loop."""
    return _hasher.hash(password)


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password is right. Without a hash it takes as long and is wrong."""
    if len(password) > LONGEST or not _can_be_hashed(password):
        password = ""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def _can_be_hashed(password: str) -> bool:
    # Half of a surrogate pair has no bytes.
    return all(not "\ud800" <= char <= "\udfff" for char in password)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("no user has this password, and none can sign in with it")


def fault_of(password: str, *personal: str) -> str:
    """The sentence to show beside a new password that can't be taken; empty when it can.

    `personal` is what others know of its user, such as email and name: a password made of it is easy to guess.
    """
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if "\x00" in password or not _can_be_hashed(password):
        return "Remove the invisible control characters."
    if _score(password, personal) < 2:
        return "This password is easy to guess. Use a longer or less common one."
    stolen = settings().breached_passwords
    if stolen and breached.holds(stolen, password):
        return "This password was stolen somewhere and is in the lists of attackers. Choose another one."
    return ""


def strength(password: str) -> tuple[int, str]:
    """A score from 0 (guessed at once) to 4, and a word for it."""
    score = _score(password[:LONGEST]) if password else 0
    return score, ("Very weak", "Weak", "Fair", "Good", "Strong")[score]


def _score(password: str, personal: tuple[str, ...] = ()) -> int:
    """zxcvbn's, which knows the common passwords. Of a long one the better end counts: the whole takes too long."""
    known = sorted({word for text in personal for word in (text.lower(), *re.findall(r"\w{3,}", text.lower()))})
    ends = {password[:_JUDGED], password[-_JUDGED:]}
    return max(int(zxcvbn(end, known).score) for end in ends)

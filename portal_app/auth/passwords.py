"""Passwords: argon2id, the same time for the unknown address as for the known one."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from zxcvbn_rs_py import zxcvbn

SHORTEST = 12
LONGEST = 128

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


def fault(password: str) -> str:
    """The sentence to show beside a new password that can't be taken; empty when it can."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    if "\x00" in password or not _can_be_hashed(password):
        return "Remove the invisible control characters."
    if strength(password)[0] < 2:
        return "This password is easy to guess. Use a longer or less common one."
    return ""


def strength(password: str) -> tuple[int, str]:
    """A score from 0 (guessed at once) to 4, and a word for it."""
    score = int(zxcvbn(password[:LONGEST]).score) if password else 0
    return score, ("Very weak", "Weak", "Fair", "Good", "Strong")[score]

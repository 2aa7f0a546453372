"""The id of the request or event in hand: in each line of the log, in the answer, in what a person is told to quote."""

import hashlib
import secrets
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("trace", default="")


def begin(of: str = "") -> str:
    """From now on this task works for a request of its own: a new id, or always the same one for the same `of`."""
    made = hashlib.sha256(of.encode()).hexdigest()[:12] if of else secrets.token_hex(6)
    _current.set(made)
    return made


def current() -> str:
    """The id; empty for work that nobody asked for."""
    return _current.get()


def reference() -> str:
    """What a person is told to quote: the id, which the log has beside what went wrong."""
    return current() or begin()

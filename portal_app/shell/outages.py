"""When the database or Redis does not answer: what counts as that, and what a page says of it."""

import sqlite3

from redis.exceptions import RedisError
from reflex_base.utils.exceptions import LockExpiredError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

# What was asked for may have been done: only its answer is missing for certain.
SENTENCE = (
    "A part of the portal is just starting again, so this could not be finished. "
    "Please see whether your change was saved before you try again."
)
# Tabs that were told so past their state, which could not be reached: their next page takes the sentence away.
_told: set[str] = set()


def is_outage(fault: BaseException) -> bool:
    """Whether another server is at fault, or this one was too slow to keep its hold on the tab's state."""
    if isinstance(fault, OperationalError | InterfaceError):
        # SQLite is never away: what fails there is the portal's own fault.
        return not isinstance(fault.orig, sqlite3.Error)
    return isinstance(fault, RedisError | LockExpiredError | NoConnection)


def note_told(tab: str) -> None:
    """The tab shows a sentence that its state knows nothing of."""
    _told.add(tab)


def was_told(tab: str) -> bool:
    """Whether it does, once."""
    told = tab in _told
    _told.discard(tab)
    return told

"""When the database or Redis does not answer: what counts as that, and what a page says of it."""

import sqlite3
from collections import deque

from redis.exceptions import RedisError
from reflex_base.utils.exceptions import LockExpiredError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

# What was asked for may have been done: only its answer is missing for certain.
SENTENCE = (
    "A part of the portal is just starting again, so this could not be finished. "
    "Please see whether your change was saved before you try again."
)
# Tabs that were told so past their state, which could not be reached: their next page takes the sentence away. The last
# ones are enough: most come back at once, and who never does must not be kept for ever.
_told: deque[str] = deque(maxlen=10_000)


def is_outage(fault: BaseException) -> bool:
    """Whether another server is at fault, or this one was too slow to keep its hold on the tab's state."""
    if isinstance(fault, OperationalError | InterfaceError):
        # SQLite is never away: what fails there is the portal's own fault.
        return not isinstance(fault.orig, sqlite3.Error)
    return isinstance(fault, RedisError | LockExpiredError | NoConnection)


def note_told(tab: str) -> None:
    """The tab shows a sentence that its state knows nothing of."""
    if tab not in _told:
        _told.append(tab)


def was_told(tab: str) -> bool:
    """Whether it does, once."""
    if tab not in _told:
        return False
    _told.remove(tab)
    return True

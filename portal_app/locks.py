"""Says that the portal runs over this data folder, so that nobody exchanges the folder's files under it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from portal_app.errors import Conflict
from portal_app.settings import settings

FILE = "server.lock"


@contextmanager
def serving() -> Iterator[None]:
    """Held by a server as long as it runs; several may. Conflict while a restore is under way."""
    with _held(fcntl.LOCK_SH, "A restore is under way in this data folder. Start the portal after it."):
        yield


@contextmanager
def alone() -> Iterator[None]:
    """Held by who exchanges the folder's files. Conflict while a server runs."""
    with _held(fcntl.LOCK_EX, "The portal is running over this data folder. Stop it first."):
        yield


@contextmanager
def _held(kind: int, sentence: str) -> Iterator[None]:
    settings().data_dir.mkdir(parents=True, exist_ok=True)
    # The lock ends with the process, however it ends; the file itself means nothing.
    with (settings().data_dir / FILE).open("a") as handle:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(sentence) from None
        yield

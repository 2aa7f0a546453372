"""The daily work inside the server process: a look every minute, in a thread."""

import asyncio
import logging
import traceback
from threading import Event

import anyio.to_thread

from portal_app import clock
from portal_app.jobs import cycle
from portal_app.settings import settings

PAUSE_SECONDS = 60

log = logging.getLogger(__name__)


async def daily_work() -> None:
    """Lifespan task of the server: ends when it is cancelled. Nothing to do when PORTAL_DAILY_WORK is 0."""
    if not settings().daily_work:
        return
    stop = Event()
    try:
        while True:
            # Abandoned on cancel: the thread ends by itself after the batch in hand, its transaction whole.
            await anyio.to_thread.run_sync(minute, stop, abandon_on_cancel=True)
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        stop.set()


def minute(stop: Event) -> None:
    """One look: the days that are not finished, then what fell due since. Faults are logged, never raised."""
    for do in (lambda: cycle.run_cycle(stop=stop), lambda: cycle.sweep(clock.now(), stop)):
        try:
            do()
        except Exception as fault:
            # Only where and of what kind: the text of a database's error may hold names and addresses.
            where = "".join(traceback.format_tb(fault.__traceback__))
            log.error("The daily work met %s; it tries again in a minute.\n%s", type(fault).__name__, where)

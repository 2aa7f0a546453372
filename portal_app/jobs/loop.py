"""The work inside the server process: the daily work, looked at every minute in a thread, and the mail."""

import asyncio
import logging
import traceback
from threading import Event

import anyio.to_thread

from portal_app import clock
from portal_app.billing import collecting, mailing
from portal_app.files import service as files
from portal_app.jobs import cycle
from portal_app.mail import delivery, smtp
from portal_app.settings import settings

PAUSE_SECONDS = 60
MAIL_SECONDS = 5
MAIL_SECONDS_AT_MOST = 300

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


async def mail_delivery() -> None:
    """Lifespan task of the server: sends the mail of the outbox. Nothing to do without a mail server."""
    if not settings().smtp_host:
        return
    pause = MAIL_SECONDS
    while not delivery.is_ending():
        try:
            await delivery.deliver(attach)
            pause = MAIL_SECONDS
        except smtp.Unreachable as fault:
            pause = min(pause * 2, MAIL_SECONDS_AT_MOST)
            log.warning("Mail waits: %s The next try is in %s seconds.", fault.sentence, pause)
        except Exception as fault:
            _note("Sending mail", fault)
        await asyncio.sleep(pause)


def attach(source: str) -> bytes:
    """The file that a letter's attachment is made of. Raises NotFound."""
    return (files if source.startswith(f"{files.ATTACHED}:") else mailing).attachment(source)


def minute(stop: Event) -> None:
    """One look: the days not finished, what fell due since, the money. Faults are logged, never raised."""
    for do in (
        lambda: cycle.run_cycle(stop=stop),
        lambda: cycle.sweep(clock.now(), stop),
        lambda: collecting.run(clock.now(), lambda: not stop.is_set()),
    ):
        if stop.is_set():
            return
        try:
            do()
        except Exception as fault:
            _note("The daily work", fault)


def _note(what: str, fault: Exception) -> None:
    # Only where and of what kind: the text of a database's error may hold names and addresses.
    where = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s met %s; it tries again soon.\n%s", what, type(fault).__name__, where)

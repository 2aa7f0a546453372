"""What runs with the server: the daily work, looked at every minute in a thread, the mail, and a worker beside it.

Of several server processes none does it: the worker beside them does.
"""

import asyncio
import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event

import anyio.from_thread
import anyio.to_thread

from portal_app import clock, migrations
from portal_app.billing import collecting, mailing
from portal_app.files import service as files
from portal_app.jobs import cycle
from portal_app.mail import delivery, smtp
from portal_app.notifications import looking
from portal_app.settings import settings
from portal_app.webhooks import delivery as webhooks

PAUSE_SECONDS = 60
MAIL_SECONDS = 5
MAIL_SECONDS_AT_MOST = 300
WEBHOOK_SECONDS = 2
WORKER_PAUSE_SECONDS = 10
WORKER_SECONDS_TO_END = 3

log = logging.getLogger(__name__)


def with_server() -> tuple[Callable[[], Awaitable[None]], ...]:
    """The lifespan tasks of a server process."""
    return () if settings().processes > 1 else (daily_work, mail_delivery, webhook_delivery, jobs_worker)


@contextmanager
def with_worker() -> Iterator[None]:
    """Until the block ends, the worker runs what no server process does, in a thread."""
    if settings().processes == 1:
        yield
        return
    with anyio.from_thread.start_blocking_portal() as thread:
        running = [thread.start_task_soon(task) for task in (daily_work, mail_delivery, webhook_delivery)]
        yield
        for task in running:
            task.cancel()


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


async def jobs_worker() -> None:
    """Lifespan task of the server: a worker beside it, for as long as it runs. Nothing to do when PORTAL_WORKER is 0.

    A process of its own: whatever it computes, the server's events wait for none of it. It ends with the server,
    however that ends, since it then reads the end of its input.
    """
    while settings().worker:
        command = (sys.executable, "-m", "portal_app", "worker", "--beside-server")
        # Relative paths in settings are from where the server was started; the portal's code may be elsewhere.
        environment = os.environ | {"PYTHONPATH": str(migrations.ROOT)}
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, env=environment)
        try:
            await process.wait()
            log.error("The worker ended by itself (%s); another begins soon.", process.returncode)
            await asyncio.sleep(WORKER_PAUSE_SECONDS)
        finally:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), WORKER_SECONDS_TO_END)


def attach(source: str) -> bytes:
    """The file that a letter's attachment is made of. Raises NotFound."""
    return (files if source.startswith(f"{files.ATTACHED}:") else mailing).attachment(source)


async def webhook_delivery() -> None:
    """Lifespan task of the server: tells webhooks what happened."""
    while not delivery.is_ending():
        try:
            await webhooks.deliver()
        except Exception as fault:
            _note("Telling webhooks", fault)
        await asyncio.sleep(WEBHOOK_SECONDS)


def minute(stop: Event) -> None:
    """One look: the days not finished, what fell due since, the money, the news. Faults are logged, never raised."""
    for do in (
        lambda: cycle.run_cycle(stop=stop),
        lambda: cycle.sweep(clock.now(), stop),
        lambda: collecting.run(clock.now(), lambda: not stop.is_set()),
        *looking.looks(stop),
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

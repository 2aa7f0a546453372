"""The worker of imports inside the server process: a portal that is slow keeps no backup waiting."""

import anyio.to_thread

from portal_app.jobs.worker import Worker
from portal_app.portal_import import work
from portal_app.portal_import.service import KIND

AT_ONCE = 2


def worker() -> Worker:
    """One that does what is due of imports."""
    return Worker({KIND: work.handle}, AT_ONCE)


async def imports() -> None:
    """Lifespan task of the server: ends when it is cancelled, and its jobs with it; the next process goes on."""
    made = worker()
    try:
        await anyio.to_thread.run_sync(made.run, abandon_on_cancel=True)
    finally:
        made.stop()

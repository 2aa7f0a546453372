"""The worker as a process: does jobs, and queues the backups whose time has come.

Only what it starts is nice to others (`engine.tools`). It is not: whoever has SQLite's lock must not wait for anything.
"""

import logging
import signal
import threading
import traceback
from threading import Event

from sqlmodel import Session, col, select

from portal_app import clock, db, locks, parents
from portal_app.backups.engine import backing_up, runs, tools
from portal_app.jobs import standing
from portal_app.jobs.handlers import BACKUPS, OTHERS
from portal_app.jobs.worker import Worker
from portal_app.models import Job, JobState
from portal_app.settings import settings

OTHERS_AT_ONCE = 2
LOOK_SECONDS = 5.0

log = logging.getLogger(__name__)


def main(*, beside_server: bool) -> None:
    """Work until SIGTERM or SIGINT; beside a server also until that is gone. Raises Conflict during a restore."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if beside_server:
        parents.at_end(stop.set)
    with locks.serving():
        if beside_server and not settings().worker:
            stop.wait()
        else:
            work(stop)


def work(stop: Event) -> None:
    """Do jobs and queue due backups until `stop`. What is in hand then is given back, for the next worker."""
    tidy()
    workers = [Worker(BACKUPS, settings().backups_at_once), Worker(OTHERS, OTHERS_AT_ONCE)]
    threads = [threading.Thread(target=worker.run, name="worker") for worker in workers]
    for thread in threads:
        thread.start()
    while not stop.is_set():
        standing.worker_looked()
        look()
        stop.wait(LOOK_SECONDS)
    for worker in workers:
        worker.stop()
    for thread in threads:
        thread.join()


def look() -> None:
    """Queue what is due. Faults are logged, never raised."""
    try:
        if db.read(runs.is_any_due):
            db.write(runs.add_due)
    except Exception as fault:
        where = "".join(traceback.format_tb(fault.__traceback__))
        log.error("Planning backups met %s; it tries again soon.\n%s", type(fault).__name__, where)


def tidy() -> None:
    """Delete what a worker left behind on this machine whose jobs have ended since."""
    folder = backing_up.work_folder_of(0).parent
    left = [int(one.name) for one in folder.glob("*") if one.name.isdecimal()]
    for number in set(left) - db.read(_running, left):
        tools.clear(backing_up.work_folder_of(number))


def _running(session: Session, numbers: list[int]) -> set[int]:
    mine = (col(Job.id).in_(numbers), col(Job.state) == JobState.RUNNING, col(Job.lease_until) > clock.now())
    return set(session.exec(select(Job.id).where(*mine)))  # type: ignore[arg-type]

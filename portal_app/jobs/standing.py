"""How the work beside the pages stands, in a few reads of indexes: for monitoring, and for `doctor`."""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, col, func, select

from portal_app import clock
from portal_app.models import CycleRun, Job, JobState, MailState, OutboxMail
from portal_app.settings import settings

# A worker looks every few seconds; so long without a look, and it is gone.
WORKER_GONE_SECONDS = 60
_OPEN = (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class Standing:
    """`jobs`: waiting and running ones, and those that failed within a day. `cycle_at`: in seconds, 0 for never."""

    jobs: tuple[tuple[str, int], ...]
    mail: int
    cycle_at: float


def standing(session: Session) -> Standing:
    """As of now. What has ended long ago is not counted: it only grows."""
    counted = select(func.count()).select_from(Job)
    jobs = [(state, session.exec(counted.where(col(Job.state) == state)).one()) for state in _OPEN]
    lately = (col(Job.state) == JobState.FAILED, col(Job.run_at) > clock.now() - timedelta(days=1))
    jobs.append((JobState.FAILED, session.exec(counted.where(*lately)).one()))
    waits = col(OutboxMail.state) == MailState.WAITING
    mail = session.exec(select(func.count()).select_from(OutboxMail).where(waits)).one()
    return Standing(tuple((str(state), count) for state, count in jobs), mail, _last_cycle(session))


def _last_cycle(session: Session) -> float:
    done = select(CycleRun.finished_at).where(col(CycleRun.finished_at).is_not(None))
    found = session.exec(done.order_by(col(CycleRun.day).desc()).limit(1)).first()
    return found.timestamp() if found else 0.0


def worker_looked() -> None:
    """A worker says that it is there. All of them share the data folder."""
    _worker_file().touch()


def worker_seen() -> float:
    """When a worker was last there, in seconds since 1970; 0 for never."""
    try:
        return _worker_file().stat().st_mtime
    except OSError:
        return 0.0


def is_worker_gone() -> bool:
    """Whether no worker has been there for a while."""
    return time.time() - worker_seen() > WORKER_GONE_SECONDS


def _worker_file() -> Path:
    return settings().data_dir / "worker.seen"

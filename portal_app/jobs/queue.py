"""Jobs as those see them who ask for work, and the workers who do it.

A worker claims a job for the length of a lease and renews it while it works. Whoever dies leaves the job to the next
one after the lease; whoever comes back too late finds the claim another's and can't write any more (`Lost`).
"""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select, update

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.models import Job, JobState

LEASE = timedelta(minutes=1)
ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELED})


class Lost(Exception):
    """The job is another worker's by now, or has ended."""


def add(
    session: Session,
    actor: Actor,
    kind: str,
    *,
    partner_id: int | None = None,
    account_id: int | None = None,
    task_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
    run_at: datetime | None = None,
    open_key: str | None = None,
    slot: str | None = None,
) -> int | None:
    """Store a job with the caller's change; gives its id, or None when `open_key` or `slot` is taken.

    `open_key`: one such job at a time that has not ended. `slot`: one such job ever. `run_at`: now, unless told.
    """
    now = clock.now()
    row = {
        "kind": kind,
        "partner_id": partner_id,
        "account_id": account_id,
        "task_id": task_id,
        "open_key": open_key,
        "slot": slot,
        "payload": dict(payload or {}),
        "state": JobState.WAITING,
        "run_at": run_at or now,
        "claim": "",
        "attempts": 0,
        "progress": {},
        "cancel_requested": False,
        "result": {},
        "fault": "",
        "made_by": actor.label,
        "made_by_id": actor.user_id,
        "created_at": now,
    }
    insert = db.insert(session, Job.__table__).values(row)
    return session.scalar(insert.on_conflict_do_nothing().returning(col(Job.id)))


def claim(session: Session, kinds: Collection[str]) -> Job | None:
    """The job that waits longest, now the caller's until the lease ends; None when nothing is due.

    One whose worker died comes again, with `attempts` above 1: what that means is the job's own matter.
    """
    now = clock.now()
    job = session.exec(
        select(Job)
        .where(_claimable(now), col(Job.kind).in_(kinds))
        .order_by(col(Job.run_at), col(Job.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if job is None:
        return None
    job.state, job.claim, job.lease_until = JobState.RUNNING, secrets.token_hex(8), now + LEASE
    job.attempts, job.started_at = job.attempts + 1, job.started_at or now
    return job


def beat(session: Session, job: Job, progress: Mapping[str, Any] | None = None) -> bool:
    """Renew the lease and tell how far it is; gives whether somebody asked to cancel. Raises Lost."""
    values: dict[str, Any] = {"lease_until": clock.now() + LEASE}
    if progress is not None:
        values["progress"] = dict(progress)
    _change(session, job, values)
    return bool(session.scalar(select(Job.cancel_requested).where(col(Job.id) == job.id)))


def finish(
    session: Session, job: Job, state: JobState, *, result: Mapping[str, Any] | None = None, fault: str = ""
) -> None:
    """End the job, in the transaction of its effect. `fault` is a sentence for people. Raises Lost."""
    ended = {"state": state, "result": dict(result or {}), "fault": fault[:500], "finished_at": clock.now()}
    _change(session, job, ended | {"open_key": None, "lease_until": None})


def again_later(session: Session, job: Job, after: timedelta, fault: str = "") -> None:
    """Let it wait, and be tried again. Raises Lost."""
    values = {"state": JobState.WAITING, "run_at": clock.now() + after, "fault": fault[:500], "lease_until": None}
    _change(session, job, values)


def give_back(session: Session, job: Job) -> None:
    """Let the next worker begin it anew: the one that had it is ending. Raises Lost."""
    values = {"state": JobState.WAITING, "attempts": Job.attempts - 1, "progress": {}, "lease_until": None}
    _change(session, job, values)


def is_any_due(session: Session, kinds: Collection[str]) -> bool:
    """Whether `claim` would find a job; reads only."""
    return (
        session.exec(select(Job.id).where(_claimable(clock.now()), col(Job.kind).in_(kinds)).limit(1)).first()
        is not None
    )


def _claimable(now: datetime) -> ColumnElement[bool]:
    waiting = (col(Job.state) == JobState.WAITING) & (col(Job.run_at) <= now)
    left = (col(Job.state) == JobState.RUNNING) & (col(Job.lease_until) <= now)
    return or_(waiting, left)


def cancel(session: Session, job_id: int) -> None:
    """End a job that waits, and ask the worker of a running one to stop. The caller has authorised the job's row."""
    mine = col(Job.id) == job_id
    waits = update(Job).where(mine, col(Job.state) == JobState.WAITING)
    ended = {"state": JobState.CANCELED, "open_key": None, "finished_at": clock.now(), "cancel_requested": True}
    if session.execute(waits.values(**ended)).rowcount == 0:
        running = update(Job).where(mine, col(Job.state) == JobState.RUNNING)
        session.execute(running.values(cancel_requested=True))


def _change(session: Session, job: Job, values: Mapping[str, Any]) -> None:
    mine = (col(Job.id) == job.id, col(Job.claim) == job.claim, col(Job.state) == JobState.RUNNING)
    if session.execute(update(Job).where(*mine).values(**values)).rowcount != 1:
        raise Lost

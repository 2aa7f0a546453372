"""Backups of built-in tasks, as those see them who ask for one."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import Permission
from portal_app.backups import schedule
from portal_app.backups.repository import visible
from portal_app.errors import Conflict, NotFound
from portal_app.jobs import queue
from portal_app.models import Account, BackupTask, Job, TaskEngine

BACKUP = "backup"
NO_TASK = "There is no such backup task."
NO_JOB = "There is no such job."
DUE_AT_ONCE = 200


def start(session: Session, actor: Actor, task_id: int) -> int:
    """Back the task up now; gives the job's id.

    Raises Denied, NotFound, Conflict when a backup of it waits or runs already or when a tool outside makes them.
    """
    actor.require(Permission.BACKUPS_RUN)
    task, account = built_in(session, actor, task_id)
    job = _add(session, actor, task, account.partner_id)
    if job is None:
        raise Conflict("A backup of this task is running or waiting already.")
    told = f"Started a backup of {task.name}."
    record(session, actor, Activity.BACKUP_RUN, told, account=(account.id, account.name), partner_id=account.partner_id)
    return job


def built_in(session: Session, actor: Actor, task_id: int) -> tuple[BackupTask, Account]:
    """The task and its account. Raises NotFound, for a stranger's too; Conflict when the portal can't run it."""
    wanted = select(BackupTask, Account).join(Account).where(col(BackupTask.id) == task_id, visible(actor))
    found = session.exec(wanted).first()
    if found is None:
        raise NotFound(NO_TASK)
    if found[0].engine != TaskEngine.BUILT_IN or found[0].source_sealed is None:
        raise Conflict("A tool outside makes the backups of this task and reports them.")
    return found


def cancel(session: Session, actor: Actor, job_id: int) -> None:
    """Stop a backup that waits or runs. Raises Denied and NotFound."""
    actor.require(Permission.BACKUPS_RUN)
    job = job_of(session, actor, job_id, (BACKUP,))
    queue.cancel(session, job_id)
    account = session.get(Account, job.account_id)
    if account is not None:
        about = (account.id, account.name)
        record(session, actor, Activity.BACKUP_RUN, "Stopped a backup.", account=about, partner_id=account.partner_id)


def job_of(session: Session, actor: Actor, job_id: int, kinds: tuple[str, ...]) -> Job:
    """A job of an account that the actor sees. Raises NotFound."""
    wanted = select(Job).join(Account, col(Account.id) == col(Job.account_id))
    found = session.exec(wanted.where(col(Job.id) == job_id, col(Job.kind).in_(kinds), visible(actor))).first()
    if found is None:
        raise NotFound(NO_JOB)
    return found


def add_due(session: Session, now: datetime | None = None) -> int:
    """Queue the tasks whose time has come, and plan each one's next; gives how many were looked at.

    Each slot once, however many processes look. Slots that nobody was there for are not made up for, but for the
    last; a task that is still being backed up skips its slot.
    """
    now = now or clock.now()
    due = session.exec(
        select(BackupTask, Account.partner_id)
        .join(Account)
        .where(*_due(now))
        .order_by(col(BackupTask.next_run_at))
        .limit(DUE_AT_ONCE)
        .with_for_update(of=BackupTask, skip_locked=True)
    ).all()
    for task, partner_id in due:
        _add(session, system(partner_id), task, partner_id, slot=f"backup:{task.id}:{task.next_run_at:%Y-%m-%dT%H:%M}")
        task.next_run_at = schedule.next_after(task, now)
        session.add(task)
    return len(due)


def is_any_due(session: Session) -> bool:
    """Whether `add_due` would find a task; reads only."""
    return session.exec(select(BackupTask.id).where(*_due(clock.now())).limit(1)).first() is not None


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    built_in_ = col(BackupTask.engine) == TaskEngine.BUILT_IN
    return col(BackupTask.next_run_at) <= now, col(BackupTask.active).is_(True), built_in_


def _add(session: Session, actor: Actor, task: BackupTask, partner_id: int, slot: str | None = None) -> int | None:
    return queue.add(
        session,
        actor,
        BACKUP,
        partner_id=partner_id,
        account_id=task.account_id,
        task_id=task.id,
        open_key=f"backup:{task.id}",
        slot=slot,
    )

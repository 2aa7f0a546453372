"""Every SELECT of the pages over an account's tasks, each scoped by the actor."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.backups.repository import older, run_row, visible
from portal_app.backups.rows import RunMark, RunRow, Service
from portal_app.backups.task_rows import ListedTask, OpenJob
from portal_app.models import Account, BackupRun, BackupTask, Job, JobState, Outcome, TaskEngine

RUNS_AT_ONCE = 25
OPEN = (JobState.WAITING, JobState.RUNNING)
_SERVICES = {service.value: service for service in Service}
_TASK = BackupTask.__table__.c
_COLUMNS = (
    _TASK.id,
    _TASK.name,
    _TASK.service,
    _TASK.engine,
    _TASK.active,
    _TASK.entities,
    _TASK.billed_entities,
    _TASK.size_bytes,
    _TASK.next_run_at,
    _TASK.last_outcome,
    _TASK.last_finished_at,
)


def account(session: Session, actor: Actor, account_id: int, *, lock: bool = False) -> Account | None:
    """The account if it exists for the actor; locked until the end of the transaction."""
    wanted = select(Account).where(col(Account.id) == account_id, visible(actor))
    return session.scalars(wanted.with_for_update(key_share=True) if lock else wanted).first()


def listed(session: Session, actor: Actor, account_id: int) -> list[ListedTask]:
    """All tasks of the account, in no order."""
    found = session.execute(
        select(*_COLUMNS)
        .join(Account, col(Account.id) == _TASK.account_id)
        .where(_TASK.account_id == account_id, visible(actor))
    )
    return [_listed(*row) for row in found]


def find(session: Session, actor: Actor, account_id: int, task_id: int) -> BackupTask | None:
    """The task if it is this account's and exists for the actor."""
    wanted = (
        select(BackupTask)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(BackupTask.id) == task_id, col(BackupTask.account_id) == account_id, visible(actor))
    )
    return session.scalars(wanted.execution_options(populate_existing=True)).first()


def runs(session: Session, actor: Actor, account_id: int, task_id: int, before: RunMark | None) -> list[RunRow]:
    """The task's runs, newest first; the next page begins at the last row's `mark`."""
    found = session.execute(
        _runs(actor, account_id, task_id)
        .where(older(before))
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(RUNS_AT_ONCE)
    )
    return [run_row(one, name) for one, name in found]


def run(session: Session, actor: Actor, account_id: int, task_id: int, run_id: int) -> tuple[RunRow, str] | None:
    """A run of the task, and its log."""
    found = session.execute(_runs(actor, account_id, task_id).where(col(BackupRun.id) == run_id)).first()
    return (run_row(found[0], found[1]), found[0].log) if found else None


def _runs(actor: Actor, account_id: int, task_id: int) -> Any:
    # The account is named for the index that ends in finished_at.
    return (
        select(BackupRun, BackupTask.name)
        .join(BackupTask, col(BackupTask.id) == col(BackupRun.task_id))
        .join(Account, col(Account.id) == col(BackupRun.account_id))
        .where(col(BackupRun.account_id) == account_id, col(BackupRun.task_id) == task_id, visible(actor))
    )


def open_jobs(session: Session, actor: Actor, account_id: int, kinds: Sequence[str]) -> list[OpenJob]:
    """The account's jobs of these kinds that have not ended."""
    found = session.scalars(
        select(Job)
        .join(Account, col(Account.id) == col(Job.account_id))
        .where(col(Job.account_id) == account_id, col(Job.state).in_(OPEN), col(Job.kind).in_(kinds), visible(actor))
        .order_by(col(Job.id))
        .execution_options(populate_existing=True)
    )
    return [open_job(job) for job in found]


def open_job(job: Job) -> OpenJob:
    """What is shown of a job in hand."""
    percent = job.progress.get("percent")
    return OpenJob(
        id=job.id or 0,
        kind=job.kind,
        task_id=job.task_id or 0,
        state=JobState(job.state),
        percent=min(100, max(0, int(percent))) if isinstance(percent, int | float) else None,
        words=str(job.progress.get("words", "")),
        size_bytes=int(job.progress.get("bytes") or 0),
        stopping=job.cancel_requested,
    )


def _listed(number: int, name: str, service: str, engine: str, *rest: object) -> ListedTask:
    active, entities, billed, size, next_run, outcome, finished = rest
    return ListedTask(
        number,
        name,
        _SERVICES.get(service, Service.GENERIC),
        TaskEngine(engine),
        active,
        entities,
        billed,
        size,
        next_run if active else None,
        Outcome(outcome) if outcome else None,
        finished,
    )

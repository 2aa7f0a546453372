"""Restores and exports, as those see them who ask for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.engine.runs import built_in, job_of
from portal_app.backups.repository import visible
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.jobs import queue
from portal_app.models import Account, BackupEntity, BackupRun, BackupTask, Job

RESTORE, EXPORT = "restore", "export"
COPY, ORIGINAL = "copy", "original"
MOST_ENTITIES = 10_000
SHOWN = 50
_PERMISSIONS = {RESTORE: Permission.DATA_RESTORE, EXPORT: Permission.DATA_EXPORT}


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """One restore or export. `percent`, `words` and `size_bytes` are its progress, `file_id` what it made."""

    id: int
    kind: str
    task_id: int
    task: str
    state: str
    percent: int
    words: str
    size_bytes: int
    fault: str
    made_by: str
    created_at: datetime
    finished_at: datetime | None
    file_id: int | None
    file_name: str


def start_restore(  # noqa: PLR0917 (what the form has, in its order)
    session: Session, actor: Actor, task_id: int, run_id: int, entity_ids: Sequence[int], to: str = COPY
) -> int:
    """Bring back what the run (or those before it) kept of these entities, all without any; gives the job's id.

    `to`: "copy" into a new folder at the source, "original" over what is there now. Raises Denied, NotFound, Invalid,
    and Conflict when nothing is kept or a restore of the task is under way.
    """
    actor.require(Permission.DATA_RESTORE)
    if to not in {COPY, ORIGINAL}:
        raise Invalid(to="Choose where the data goes.")
    where = "its original place" if to == ORIGINAL else "a new folder"
    return _start(session, actor, RESTORE, task_id, run_id, entity_ids, about=f"Restore to {where}", to=to)


def start_export(session: Session, actor: Actor, task_id: int, run_id: int, entity_ids: Sequence[int]) -> int:
    """The same as a zip to download."""
    actor.require(Permission.DATA_EXPORT)
    return _start(session, actor, EXPORT, task_id, run_id, entity_ids, about="Export")


def cancel(session: Session, actor: Actor, job_id: int) -> None:
    """Stop a restore or an export. Raises Denied and NotFound."""
    job = job_of(session, actor, job_id, (RESTORE, EXPORT))
    actor.require(_PERMISSIONS[job.kind])
    queue.cancel(session, job_id)


def listed(session: Session, actor: Actor, account_id: int, limit: int = SHOWN) -> list[RecoveryRow]:
    """The account's last restores and exports, the newest first. Raises Denied; none of a stranger's account."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    found = session.exec(
        select(Job, BackupTask.name)
        .join(Account, col(Account.id) == col(Job.account_id))
        .join(BackupTask, col(BackupTask.id) == col(Job.task_id), isouter=True)
        .where(col(Job.account_id) == account_id, col(Job.kind).in_(_PERMISSIONS), visible(actor))
        .order_by(col(Job.id).desc())
        .limit(limit)
    )
    return [_row(job, name) for job, name in found]


def _row(job: Job, task: str | None) -> RecoveryRow:
    done = job.result or {}
    return RecoveryRow(
        id=job.id or 0,
        kind=job.kind,
        task_id=job.task_id or 0,
        task=task or "",
        state=job.state,
        percent=100 if job.state == "done" else int(job.progress.get("percent", 0)),
        words=str(done.get("words") or job.progress.get("words", "")),
        size_bytes=int(done.get("bytes") or job.progress.get("bytes", 0)),
        fault=job.fault,
        made_by=job.made_by,
        created_at=job.created_at,
        finished_at=job.finished_at,
        file_id=done.get("file"),
        file_name=str(done.get("name", "")),
    )


def _start(  # noqa: PLR0917
    session: Session,
    actor: Actor,
    kind: str,
    task_id: int,
    run_id: int,
    entity_ids: Sequence[int],
    *,
    about: str,
    **more: Any,
) -> int:
    task, account = built_in(session, actor, task_id)
    run = session.exec(select(BackupRun).where(col(BackupRun.id) == run_id, col(BackupRun.task_id) == task_id)).first()
    if run is None:
        raise NotFound("There is no such backup.")
    if not run.snapshot:
        raise Conflict("This run kept nothing that could be brought back. Choose another.")
    names = _names(session, task_id, entity_ids)
    job = queue.add(
        session,
        actor,
        kind,
        partner_id=account.partner_id,
        account_id=account.id,
        task_id=task_id,
        payload={"run": run_id, "entities": list(entity_ids), **more},
        open_key=f"{kind}:{task_id}",
    )
    if job is None:
        raise Conflict(f"Another {kind} of this task is under way. Wait for it, or stop it.")
    what = f"{about}: {task.name}, {names}, as of {run.finished_at:%Y-%m-%d %H:%M} UTC"
    activity = Activity.DATA_RESTORE if kind == RESTORE else Activity.DATA_EXPORT
    record(session, actor, activity, what, account=(account.id, account.name), partner_id=account.partner_id)
    return job


def _names(session: Session, task_id: int, entity_ids: Sequence[int]) -> str:
    if not entity_ids:
        return "everything"
    if len(set(entity_ids)) > MOST_ENTITIES:
        raise Invalid(f"Choose at most {MOST_ENTITIES:,}, or everything.")
    mine = (col(BackupEntity.task_id) == task_id, col(BackupEntity.id).in_(entity_ids))
    number = session.exec(select(func.count()).select_from(BackupEntity).where(*mine)).one()
    if number != len(set(entity_ids)):
        raise NotFound("There is no such entity in this task.")
    if number > 1:
        return f"{number:,} entities"
    return session.exec(select(BackupEntity.name).where(*mine)).one()[:200]

"""The jobs of all partners, as operators see them: looked for, stopped, done once more."""

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, select
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, system
from portal_app.errors import Conflict, NotFound
from portal_app.jobs import queue
from portal_app.models import Account, BackupRun, BackupTask, DeletedAccount, Job, JobState, Partner
from portal_app.operator.job_rows import KINDS, REPEATABLE, STOPPABLE, JobPage, JobQuery, JobRow
from portal_app.text import searchable

NO_JOB = "There is no such job."
ENDED = "The job ended before it could be stopped."
_OPEN = (JobState.WAITING, JobState.RUNNING)
_OF_TASK = frozenset({"backup", "restore", "export"})
_ID = col(Job.id)
_ORDERS = {"id": _ID, "kind": col(Job.kind), "state": col(Job.state), "finished": col(Job.finished_at)}


def page(session: Session, actor: Actor, query: JobQuery) -> JobPage:
    """A page of jobs. Raises Denied."""
    actor.require_provider()
    where = _where(session, query)
    first = _ORDERS[query.sort]
    order = [one.desc() if query.descending else one.asc() for one in dict.fromkeys([first, _ID])]
    # The ids first: only the page's own rows are looked at whole.
    ids = session.scalars(
        select(_ID).where(*where).order_by(*order).offset((query.page - 1) * query.size).limit(query.size)
    ).all()
    found = {job.id: _row(job, *rest) for job, *rest in session.execute(_rows().where(_ID.in_(ids)))}
    matching = session.scalar(select(func.count()).select_from(Job).where(*where)) or 0
    total = (session.scalar(select(func.count()).select_from(Job)) or 0) if where else matching
    return JobPage([found[number] for number in ids], matching, total)


def one(session: Session, actor: Actor, job_id: int) -> JobRow:
    """A job by its number. Raises Denied and NotFound."""
    actor.require_provider()
    found = session.execute(_rows().where(job_id == _ID)).first()
    if found is None:
        raise NotFound(NO_JOB)
    job, *rest = found
    return _row(job, *rest)


def partners(session: Session, actor: Actor) -> dict[str, str]:
    """All partners by their IDs. Raises Denied."""
    actor.require_provider()
    return {
        code: f"{code} {name}"
        for code, name in session.execute(select(Partner.code, Partner.name).order_by(Partner.code))
    }


def stop(session: Session, actor: Actor, job_id: int) -> None:
    """Stop a job that waits or runs. Raises Denied, NotFound, and Conflict when it has ended or can't be stopped."""
    job = _locked(session, actor, job_id)
    if job.kind not in STOPPABLE:
        raise Conflict("A job of this kind can't be stopped here.")
    if job.state not in _OPEN:
        raise Conflict(ENDED)
    queue.cancel(session, job_id)
    _note(session, actor, job, "stopped")


def repeat(session: Session, actor: Actor, job_id: int) -> int:
    """Do a failed job once more, for whoever asked for it; gives the new job's number.

    Raises Denied, NotFound, and Conflict when it can't be done again, was already, or when another is under way.
    """
    job = _locked(session, actor, job_id)
    if not _may_repeat(job, _has_task(session, job)):
        raise Conflict("This job can't be done again.")
    asker = replace(system(job.partner_id), user_id=job.made_by_id, email=job.made_by)
    slot = f"again:{job_id}"
    number = queue.add(
        session,
        asker,
        job.kind,
        partner_id=job.partner_id,
        account_id=job.account_id,
        task_id=job.task_id,
        payload=job.payload,
        open_key=_open_key(job),
        slot=slot,
    )
    if number is None:
        made = session.scalar(select(Job.id).where(col(Job.slot) == slot))
        raise Conflict(f"It is done again already, as job {made}." if made else "Another one of it is under way.")
    _note(session, actor, job, f"done again as job {number}")
    return number


def log(session: Session, actor: Actor, job_id: int) -> str:
    """What the engine said while it did a backup. Raises Denied and NotFound."""
    actor.require_provider()
    job = session.get(Job, job_id)
    text = session.scalar(_runs(BackupRun.log).where(job_id == _ID)) if job else None
    if job is None or text is None:
        raise NotFound("This job left no log.")
    _note(session, actor, job, "log opened")
    return text


def _where(session: Session, query: JobQuery) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if query.kind:
        parts.append(col(Job.kind) == query.kind)
    if query.state:
        parts.append(col(Job.state) == query.state)
    if query.partner:
        parts.append(col(Job.partner_id) == _partner_id(query.partner))
    if words := searchable(query.search):
        parts.append(_holds(session, words))
    return parts


def _partner_id(code: str) -> Any:
    return select(col(Partner.id)).where(col(Partner.code) == code).scalar_subquery()


def _holds(session: Session, words: str) -> ColumnElement[bool]:
    """Its number, or words in the name or email of its account, deleted ones too."""
    if words.isdecimal() and len(words) < 16:
        return col(Job.id) == int(words)
    there = select(col(Account.id)).where(accounts.holds(session, words))
    gone = select(col(DeletedAccount.account_id)).where(accounts.deleted_holds(words))
    return col(Job.account_id).in_(there.union_all(gone))


def _rows() -> Select[*tuple[Any, ...]]:
    columns = (
        Job,
        func.coalesce(Partner.code, ""),
        func.coalesce(Account.name, DeletedAccount.name, ""),
        func.coalesce(BackupTask.name, ""),
        _runs(BackupRun.id).correlate(Job).exists(),
    )
    return (
        select(*columns)
        .outerjoin(Partner, col(Partner.id) == col(Job.partner_id))
        .outerjoin(Account, col(Account.id) == col(Job.account_id))
        .outerjoin(DeletedAccount, col(DeletedAccount.account_id) == col(Job.account_id))
        .outerjoin(BackupTask, col(BackupTask.id) == col(Job.task_id))
    )


def _runs(column: Any) -> Select[Any]:
    """The run that came of a backup."""
    key = literal("job-") + cast(_ID, String)
    is_its = (col(BackupRun.task_id) == col(Job.task_id), col(BackupRun.run_key) == key)
    return select(column).where(*is_its, col(Job.kind) == "backup")


def _row(job: Job, partner: str, account: str, task: str, has_log: bool) -> JobRow:
    is_open, told = job.state in _OPEN, job.result or {}
    return JobRow(
        id=job.id or 0,
        kind=job.kind,
        state=job.state,
        partner=partner,
        account=account,
        task=task,
        percent=100 if job.state == JobState.DONE else int(job.progress.get("percent", 0)),
        words=str((job.progress if is_open else told).get("words", "")),
        fault=job.fault,
        attempts=job.attempts,
        made_by=job.made_by,
        created_at=job.created_at,
        run_at=job.run_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        stopping=job.state == JobState.RUNNING and job.cancel_requested,
        may_stop=is_open and job.kind in STOPPABLE and not job.cancel_requested,
        may_repeat=_may_repeat(job, bool(task)),
        has_log=has_log,
    )


def _may_repeat(job: Job, has_task: bool) -> bool:
    over_it = job.kind == "restore" and job.payload.get("to") == "original"
    can = job.kind in REPEATABLE and (has_task or job.kind not in _OF_TASK)
    return job.state == JobState.FAILED and can and not over_it


def _has_task(session: Session, job: Job) -> bool:
    return job.task_id is not None and session.get(BackupTask, job.task_id) is not None


def _open_key(job: Job) -> str | None:
    """What keeps two of it apart, as whoever queued it said (queue.finish takes it off the job)."""
    if job.kind in _OF_TASK:
        return f"{job.kind}:{job.task_id}"
    return f"{job.kind}:{job.made_by_id}" if job.kind == "usage report" else None


def _locked(session: Session, actor: Actor, job_id: int) -> Job:
    actor.require_provider()
    job = session.scalars(select(Job).where(job_id == _ID).with_for_update()).first()
    if job is None:
        raise NotFound(NO_JOB)
    return job


def _note(session: Session, actor: Actor, job: Job, what: str) -> None:
    """Into the provider's audit, and into that of the partner whose job it is."""
    told = f"Job {job.id} ({KINDS.get(job.kind, job.kind)}) {what}"
    account = session.get(Account, job.account_id) if job.account_id else None
    concerned = (account.id, account.name) if account else (None, "")
    for side in dict.fromkeys((None, job.partner_id)):
        record(session, actor, Activity.BACKUP_RUN, told, account=concerned, partner_id=side)

"""Reads what happened in an account: its jobs, the runs that tools outside reported, and what the audit has of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlmodel import Session, col

from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_repository as repository
from portal_app.backups.activity_query import ActivityQuery, Kind, Mark
from portal_app.errors import NotFound
from portal_app.models import Account, AuditEvent, BackupRun, BackupTask, Job, JobState, Outcome, TaskEngine

NO_ACCOUNT = "There is no such account."
# Where rows are kept; at one instant the higher stands first.
_JOBS, _RUNS, _CHANGES = 0, 1, 2
# What the audit has of an account that is no matter of money: the customer's own people read this, too. Backups and
# restores that somebody started are there as jobs, which tell more.
_TOLD = (
    Activity.ACCOUNT_ACCESSED,
    Activity.ACCOUNT_ADDED,
    Activity.ACCOUNT_SETTINGS,
    Activity.BACKUP_TASKS,
    Activity.DATA_EXPORT,
    Activity.PERMISSIONS_CHANGED,
    Activity.SIGN_IN,
    Activity.USER_MANAGEMENT,
)
_KINDS = (Kind.BACKUP, Kind.RESTORE, Kind.EXPORT)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `state` is a JobState or an Outcome; empty for what the audit tells."""

    mark: Mark
    kind: Kind
    what: str
    about: str
    state: str
    words: str
    by: str


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """A page of what happened, the newest first; whether there is more."""

    rows: list[Happening]
    older: bool


def page(session: Session, actor: Actor, query: ActivityQuery) -> ActivityPage:
    """The next rows before the query's place. Raises Denied, NotFound."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    account = repository.account(session, actor, query.account_id)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    parts = _parts(session, account, query)
    found = list(islice(merge(*parts, key=lambda row: row.mark, reverse=True), query.size + 1))
    return ActivityPage(found[: query.size], len(found) > query.size)


def _parts(session: Session, account: Account, query: ActivityQuery) -> Iterator[Iterable[Happening]]:
    """Of each place where rows are kept the next ones, newest first: enough for a page, should all be from there."""
    if query.kind != Kind.CHANGE:
        yield _jobs(session, query)
    if query.kind in ("", Kind.BACKUP):
        yield _runs(session, query)
    if query.kind in ("", Kind.CHANGE):
        yield _changes(session, account, query)


def _jobs(session: Session, query: ActivityQuery) -> list[Happening]:
    kinds = [query.kind] if query.kind else list(_KINDS)
    mine = (col(Job.account_id) == query.account_id, col(Job.kind).in_(kinds))
    found = session.execute(
        select(Job, BackupTask.name)
        .join(BackupTask, col(BackupTask.id) == col(Job.task_id), isouter=True)
        .where(*mine, _before(query, _JOBS, col(Job.created_at), col(Job.id)))
        .order_by(col(Job.created_at).desc(), col(Job.id).desc())
        .limit(query.size + 1)
        .execution_options(populate_existing=True)
    )
    return [_job(job, task or "") for job, task in found]


def _job(job: Job, task: str) -> Happening:
    kind, done = Kind(job.kind), job.result
    # How far it is is said while it runs; a backup that ended has an outcome of its own.
    words = job.fault or str((job.progress if job.state in repository.OPEN else done).get("words", ""))
    state = done.get("outcome") or JobState(job.state)
    mark = Mark(job.created_at, _JOBS, job.id or 0)
    return Happening(mark, kind, kind.value.capitalize(), task, str(state), words, job.made_by)


def _runs(session: Session, query: ActivityQuery) -> list[Happening]:
    # What the portal backs up itself is there as a job.
    mine = (col(BackupRun.account_id) == query.account_id, col(BackupTask.engine) == TaskEngine.REPORTED)
    found = session.execute(
        select(BackupRun, BackupTask.name)
        .join(BackupTask, col(BackupTask.id) == col(BackupRun.task_id))
        .where(*mine, _before(query, _RUNS, col(BackupRun.finished_at), col(BackupRun.id)))
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(query.size + 1)
    )
    return [_run(run, task) for run, task in found]


def _run(run: BackupRun, task: str) -> Happening:
    mark = Mark(run.finished_at, _RUNS, run.id or 0)
    return Happening(mark, Kind.BACKUP, "Backup", task, Outcome(run.outcome), run.message, "An outside tool")


def _changes(session: Session, account: Account, query: ActivityQuery) -> list[Happening]:
    mine = (
        col(AuditEvent.partner_id) == account.partner_id,
        col(AuditEvent.account_id) == account.id,
        col(AuditEvent.activity).in_(_TOLD),
        col(AuditEvent.completed),
    )
    found = session.scalars(
        select(AuditEvent)
        .where(*mine, _before(query, _CHANGES, col(AuditEvent.made_at), col(AuditEvent.number)))
        .order_by(col(AuditEvent.made_at).desc(), col(AuditEvent.number).desc())
        .limit(query.size + 1)
    )
    return [_change(event) for event in found]


def _change(event: AuditEvent) -> Happening:
    mark = Mark(event.made_at, _CHANGES, event.number)
    return Happening(mark, Kind.CHANGE, event.activity, "", "", event.description, event.performed_by)


def _before(
    query: ActivityQuery, source: int, at: ColumnElement[Any], number: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Rows of this source that stand behind the query's place."""
    place: Mark | None = query.before
    if place is None:
        return true()
    when: datetime = place.at
    if source != place.source:
        return at <= when if source < place.source else at < when
    return or_(at < when, and_(at == when, number < place.number))

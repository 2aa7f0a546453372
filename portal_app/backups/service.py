"""Records what engines report: the run, and everything that is counted from it."""

from datetime import UTC, date
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository
from portal_app.backups.entities import service as entities
from portal_app.backups.intake import RunReport
from portal_app.backups.rows import RecordedRun, Service, Summary
from portal_app.errors import Conflict, Invalid, NotFound
from portal_app.models import Account, BackupRun, BackupTask, Outcome, PartnerDay
from portal_app.webhooks.emitting import emit, of_account
from portal_app.webhooks.events import Event

# Far below what a 64-bit column holds, and more than anybody stores: sums can't overflow.
MOST_STORED = 2**62
_EVENTS = {
    Outcome.SUCCESSFUL: Event.BACKUP_SUCCEEDED,
    Outcome.PARTIAL: Event.BACKUP_PARTIAL,
    Outcome.FAILED: Event.BACKUP_FAILED,
}


def record_run(session: Session, actor: Actor, report: RunReport) -> RecordedRun:
    """Record one run, once however often it is reported, and count it for task, account and partner.

    Raises Denied without the permission to run backups, NotFound for an account that the actor can't see,
    Conflict when the run's id is known with other content, Invalid when the sizes can't be summed.
    """
    actor.require(Permission.BACKUPS_RUN)
    # The account's row is locked from here to the commit: reports of one account come one after the other.
    account = repository.account_to_change(session, actor, report.account)
    if account is None:
        raise NotFound("There is no such account.")
    task = repository.task_by_key(session, account.id, report.task) or _new_task(session, account, report)
    known = repository.run_by_key(session, task.id, report.run)
    if known is not None:
        return _the_same(known, report)
    run = _add_run(session, account, task, report)
    _update_task(session, task, report)
    _update_account(session, account)
    _update_days(session, account.partner_id, run)
    tell(session, account, task, run)
    return _recorded(run, created=True)


def tell(session: Session, account: Account, task: BackupTask, run: BackupRun) -> None:
    """Tell webhooks of a run that is new."""
    data = {
        "account": of_account(account),
        "task": {"id": task.id, "name": task.name},
        "run": {
            "id": run.id,
            "outcome": run.outcome,
            "started": run.started_at,
            "finished": run.finished_at,
            "entities": run.entities,
            "entities_failed": run.entities_failed,
            "message": run.message,
        },
    }
    emit(session, account.partner_id, _EVENTS[Outcome(run.outcome)], data, account.id)


def _new_task(session: Session, account: Account, report: RunReport) -> BackupTask:
    task = BackupTask(
        account_id=account.id,
        key=report.task,
        name=report.name or report.task,
        service=report.service or Service.GENERIC,
        created_at=clock.now(),
    )
    session.add(task)
    session.flush()
    return task


def _add_run(session: Session, account: Account, task: BackupTask, report: RunReport) -> BackupRun:
    run = BackupRun(
        account_id=account.id, task_id=task.id, run_key=report.run, received_at=clock.now(), **_content(report)
    )
    session.add(run)
    session.flush()
    return run


def _content(report: RunReport) -> dict[str, Any]:
    return {
        "started_at": report.started.astimezone(UTC),
        "finished_at": report.finished.astimezone(UTC),
        "outcome": report.outcome,
        "added_bytes": report.added_bytes,
        "size_bytes": report.size_bytes or 0,
        "entities": report.counted,
        "entities_failed": report.counted_failed,
        "message": report.shown_message,
    }


def _the_same(known: BackupRun, report: RunReport) -> RecordedRun:
    if any(getattr(known, name) != value for name, value in _content(report).items()):
        raise Conflict("This run id was reported before with other content. Each run needs an id of its own.")
    return _recorded(known, created=False)


def _recorded(run: BackupRun, *, created: bool) -> RecordedRun:
    return RecordedRun(
        id=run.id or 0,
        account_id=run.account_id,
        task_id=run.task_id,
        run=run.run_key,
        outcome=Outcome(run.outcome),
        finished_at=run.finished_at,
        received_at=run.received_at,
        created=created,
    )


def _update_task(session: Session, task: BackupTask, report: RunReport) -> None:
    if task.last_finished_at is not None and report.finished < task.last_finished_at:
        return
    task.last_outcome = report.outcome
    task.last_finished_at = report.finished
    # A run that failed changed nothing of what is stored, whatever it says.
    if report.outcome != Outcome.FAILED:
        task.size_bytes = task.size_bytes if report.size_bytes is None else report.size_bytes
    session.add(task)
    session.flush()
    _update_entities(session, task, report)


def _update_entities(session: Session, task: BackupTask, report: RunReport) -> None:
    failed = report.outcome == Outcome.FAILED
    if report.entity_list:
        seen = (one.seen() for one in report.entity_list)
        whole = report.entity_list_whole and not failed
        entities.note_seen(session, task, seen, report.finished.astimezone(UTC), whole=whole)
    elif report.entities is not None and not failed:
        entities.note_number(session, task, report.entities)


def _update_account(session: Session, account: Account) -> None:
    summary = repository.summary_of(session, account.id)
    stored = repository.stored_bytes(session, account.partner_id) - account.size_bytes + summary.size_bytes
    if stored > MOST_STORED:
        raise Invalid(size_bytes="All accounts together would hold more than the portal can count.")
    # Always a statement, even when nothing differs: its trigger tells open pages of the run.
    session.execute(update(Account).where(col(Account.id) == account.id).values(**_figures(summary)))


def refresh_account(session: Session, account: Account) -> None:
    """Count the account anew when a task of it is gone, or came from elsewhere."""
    _update_account(session, account)
    stored = {"stored_bytes": repository.stored_bytes(session, account.partner_id)}
    _count_day(session, account.partner_id, clock.today(), stored, stored)


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        "backup_status": summary.status,
        "size_bytes": summary.size_bytes,
        "last_backup_at": summary.last_backup_at,
    }


def _update_days(session: Session, partner_id: int, run: BackupRun) -> None:
    today, day = clock.today(), run.finished_at.date()
    stored = repository.stored_bytes(session, partner_id)
    _count_day(session, partner_id, today, {"stored_bytes": stored}, {"stored_bytes": stored})
    column = str(Outcome(run.outcome))
    added = {column: getattr(PartnerDay, column) + 1}
    _count_day(session, partner_id, day, {column: 1, "stored_bytes": _stored_by(partner_id, day)}, added)


def _count_day(session: Session, partner_id: int, day: date, first: dict[str, Any], later: dict[str, Any]) -> None:
    counts = {"successful": 0, "partial": 0, "failed": 0}
    insert = db.insert(session, PartnerDay)
    insert = insert.values({"partner_id": partner_id, "day": day} | counts | first)
    session.execute(insert.on_conflict_do_update(index_elements=["partner_id", "day"], set_=later))


def _stored_by(partner_id: int, day: date) -> Any:
    # A late report makes the row of a day that had none: its size is that of the day before it.
    earlier = (
        select(PartnerDay.stored_bytes)
        .where(col(PartnerDay.partner_id) == partner_id, col(PartnerDay.day) < day)
        .order_by(col(PartnerDay.day).desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(earlier, 0)

"""Every SELECT over backups, each scoped by the actor."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlmodel import Session, col

from portal_app import clock, text
from portal_app.auth.actor import Actor, ActorKind
from portal_app.backups.rows import DayRow, RunMark, RunRow, Service, StoredRow, Summary, TaskRow
from portal_app.models import (
    Account,
    AccountTotal,
    BackupRun,
    BackupStatus,
    BackupTask,
    Outcome,
    PartnerDay,
    UserAccount,
)

RUNS_PER_PAGE = 50
_SERVICES = {service.value: service for service in Service}


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on `account` that holds for those that the actor may open; for nobody it never holds.

    An operator can take a partner's access to an account away: its people and programs then open it no more.
    """
    if actor.kind in {ActorKind.CUSTOMER, ActorKind.SYSTEM}:
        return counted(actor)
    return and_(counted(actor), col(Account.partner_access).is_(True))


def counted(actor: Actor) -> ColumnElement[bool]:
    """The same for those that are in the actor's lists and figures, whether or not they can be opened."""
    if actor.kind == ActorKind.CUSTOMER:
        return col(Account.id) == actor.account_id
    if actor.kind == ActorKind.SYSTEM and actor.partner_id is None:
        return true()
    if actor.partner_id is None:
        return false()
    mine = col(Account.partner_id) == actor.partner_id
    if actor.all_accounts:
        return mine
    chosen = select(UserAccount.account_id).where(col(UserAccount.user_id) == actor.user_id)
    return and_(mine, col(Account.id).in_(chosen))


def sees_all(actor: Actor) -> bool:
    """Whether the figures kept for the whole partner are the actor's own."""
    return actor.all_accounts and actor.partner_id is not None and actor.kind != ActorKind.CUSTOMER


def backups_per_day(session: Session, actor: Actor, since: date) -> list[DayRow]:
    """Backups by outcome for each UTC day from `since` to today, days without any included."""
    counted = _kept_days(session, actor, since) if sees_all(actor) else _counted_days(session, actor, since)
    return [counted.get(day, DayRow(day)) for day in _days(since)]


def stored_per_day(session: Session, actor: Actor, since: date) -> list[StoredRow]:
    """Bytes stored at the end of each UTC day from `since` to today.

    Whoever sees only some accounts gets the sizes that the engines reported for just these.
    """
    return list(_kept_sizes(session, actor, since) if sees_all(actor) else _summed_sizes(session, actor, since))


def tasks_of(session: Session, actor: Actor, account_id: int) -> list[TaskRow]:
    """The account's tasks by name; none when the account isn't the actor's to see."""
    found = session.scalars(
        select(BackupTask)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(BackupTask.account_id) == account_id, visible(actor))
    )
    return sorted(map(_task_row, found), key=lambda row: (text.fold(row.name), row.id))


def runs_of(
    session: Session, actor: Actor, account_id: int, limit: int = RUNS_PER_PAGE, before: RunMark | None = None
) -> list[RunRow]:
    """The account's runs, newest first; the next page begins at the last row's `mark`."""
    found = session.execute(
        select(BackupRun, BackupTask.name)
        .join(BackupTask, col(BackupTask.id) == col(BackupRun.task_id))
        .join(Account, col(Account.id) == col(BackupRun.account_id))
        .where(col(BackupRun.account_id) == account_id, visible(actor), older(before))
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(limit)
    )
    return [run_row(run, name) for run, name in found]


def account_to_change(session: Session, actor: Actor, account: int | str) -> Account | None:
    """The account by its id or email, locked until the end of the transaction. None for a stranger's too."""
    if isinstance(account, str):
        named = col(Account.email_key) == text.normal_email(account)
    else:
        named = col(Account.id) == account
    return session.scalars(
        select(Account)
        .where(named, visible(actor))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()


def task_by_key(session: Session, account_id: int, key: str) -> BackupTask | None:
    """The task that engines report under this key. The caller has scoped the account."""
    return session.scalars(
        select(BackupTask)
        .where(col(BackupTask.account_id) == account_id, col(BackupTask.key) == key)
        .execution_options(populate_existing=True)
    ).first()


def run_by_key(session: Session, task_id: int, key: str) -> BackupRun | None:
    """The run that was reported under this id. The caller has scoped the task."""
    wanted = select(BackupRun).where(col(BackupRun.task_id) == task_id, col(BackupRun.run_key) == key)
    return session.scalars(wanted).first()


def summary_of(session: Session, account_id: int) -> Summary:
    """What the account's tasks come to: state, size in bytes, last backup. The caller has scoped the account."""
    outcome = col(BackupTask.last_outcome)
    found = session.execute(
        select(
            func.count(outcome),
            func.count().filter(outcome == Outcome.SUCCESSFUL),
            func.count().filter(outcome == Outcome.FAILED),
            func.coalesce(func.sum(BackupTask.size_bytes), 0),
            func.max(BackupTask.last_finished_at, type_=BackupTask.__table__.c.last_finished_at.type),
        ).where(col(BackupTask.account_id) == account_id)
    ).one()
    return Summary(_status(found[0], found[1], found[2]), int(found[3]), found[4])


def stored_bytes(session: Session, partner_id: int) -> int:
    """Bytes stored of all the partner's accounts together."""
    total = select(func.coalesce(func.sum(AccountTotal.size_bytes), 0))
    return int(session.scalar(total.where(col(AccountTotal.partner_id) == partner_id)) or 0)


def _status(ran: int, successful: int, failed: int) -> BackupStatus:
    if not ran:
        return BackupStatus.NONE
    if successful == ran:
        return BackupStatus.SUCCESSFUL
    return BackupStatus.FAILED if failed == ran else BackupStatus.PARTIAL


def _days(since: date) -> Iterator[date]:
    for number in range((clock.today() - since).days + 1):
        yield since + timedelta(days=number)


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _kept_days(session: Session, actor: Actor, since: date) -> dict[date, DayRow]:
    kept = select(PartnerDay).where(col(PartnerDay.partner_id) == actor.partner_id, col(PartnerDay.day) >= since)
    return {row.day: DayRow(row.day, row.successful, row.partial, row.failed) for row in session.scalars(kept)}


def _counted_days(session: Session, actor: Actor, since: date) -> dict[date, DayRow]:
    day = _utc_day(session)
    found = session.execute(
        select(day, BackupRun.outcome, func.count())
        .join(Account, col(Account.id) == col(BackupRun.account_id))
        .where(counted(actor), col(BackupRun.finished_at) >= _start(since))
        .group_by(day, col(BackupRun.outcome))
    )
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    for found_day, outcome, number in found:
        counts[date.fromisoformat(str(found_day))][str(Outcome(outcome))] = number
    return {found_day: DayRow(found_day, **numbers) for found_day, numbers in counts.items()}


def _utc_day(session: Session) -> ColumnElement[Any]:
    finished = col(BackupRun.finished_at)
    if session.get_bind().dialect.name == "postgresql":
        return func.date(func.timezone("UTC", finished))
    return func.date(finished)


def _kept_sizes(session: Session, actor: Actor, since: date) -> Iterator[StoredRow]:
    mine = select(PartnerDay.day, PartnerDay.stored_bytes).where(col(PartnerDay.partner_id) == actor.partner_id)
    earlier = mine.where(col(PartnerDay.day) < since).order_by(col(PartnerDay.day).desc()).limit(1)
    known = {row.day: row.stored_bytes for row in session.execute(mine.where(col(PartnerDay.day) >= since))}
    known[clock.today()] = stored_bytes(session, actor.partner_id or 0)
    before = session.execute(earlier).first()
    size = before.stored_bytes if before else 0
    for day in _days(since):
        size = known.get(day, size)
        yield StoredRow(day, size)


def _summed_sizes(session: Session, actor: Actor, since: date) -> Iterator[StoredRow]:
    sizes = _sizes_before(session, actor, since)
    changes = _changes_since(session, actor, since)
    for day in _days(since):
        for task_id, size in changes.get(day, ()):
            sizes[task_id] = size
        yield StoredRow(day, sum(sizes.values()))


def _sizes_before(session: Session, actor: Actor, since: date) -> dict[int, int]:
    earlier = (
        select(BackupRun.size_bytes)
        .where(
            # The account is named for the index that ends in finished_at.
            col(BackupRun.account_id) == col(BackupTask.account_id),
            col(BackupRun.task_id) == col(BackupTask.id),
            col(BackupRun.finished_at) < _start(since),
            _tells_size(),
        )
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(1)
        .scalar_subquery()
    )
    found = session.execute(
        select(BackupTask.id, earlier)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(counted(actor))
    )
    return {task_id: size or 0 for task_id, size in found}


def _changes_since(session: Session, actor: Actor, since: date) -> dict[date, list[tuple[int, int]]]:
    found = session.execute(
        select(BackupRun.task_id, BackupRun.finished_at, BackupRun.size_bytes)
        .join(Account, col(Account.id) == col(BackupRun.account_id))
        .where(counted(actor), col(BackupRun.finished_at) >= _start(since), _tells_size())
        .order_by(col(BackupRun.finished_at), col(BackupRun.id))
    )
    return _by_day((row.finished_at.date(), (row.task_id, row.size_bytes)) for row in found)


def _by_day(pairs: Iterable[tuple[date, tuple[int, int]]]) -> dict[date, list[tuple[int, int]]]:
    days: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for day, change in pairs:
        days[day].append(change)
    return days


def _tells_size() -> ColumnElement[bool]:
    # A failed run says nothing of what is stored, and an engine that doesn't know says 0.
    return and_(col(BackupRun.outcome) != Outcome.FAILED, col(BackupRun.size_bytes) > 0)


def older(before: RunMark | None) -> ColumnElement[bool]:
    """The condition for the next page of a list of runs."""
    if before is None:
        return true()
    finished = col(BackupRun.finished_at)
    same = and_(finished == before.finished_at, col(BackupRun.id) < before.id)
    return and_(finished <= before.finished_at, or_(finished < before.finished_at, same))


def _task_row(task: BackupTask) -> TaskRow:
    return TaskRow(
        id=task.id or 0,
        key=task.key,
        name=task.name,
        service=_SERVICES.get(task.service, Service.GENERIC),
        entities=task.entities,
        size_bytes=task.size_bytes,
        last_outcome=Outcome(task.last_outcome) if task.last_outcome else None,
        last_finished_at=task.last_finished_at,
    )


def run_row(run: BackupRun, task_name: str) -> RunRow:
    """What is shown of a run."""
    return RunRow(
        id=run.id or 0,
        task_id=run.task_id,
        task_name=task_name,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=Outcome(run.outcome),
        added_bytes=run.added_bytes,
        size_bytes=run.size_bytes,
        entities=run.entities,
        entities_failed=run.entities_failed,
        message=run.message,
    )

"""The SELECTs of the API's lists: in the order of a key, from one place to the next, always in the actor's scope."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, literal, select, tuple_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor
from portal_app.billing import bill_reading
from portal_app.models import (
    Account,
    BackupRun,
    BackupTask,
    Bill,
    BillLine,
    DataCenter,
    User,
)
from portal_app.models.base import Instant
from portal_app.users import repository as users


def account_rows(
    session: Session, actor: Actor, *, filters: dict[str, str], search: str, after: int | None, limit: int
) -> Sequence[Row[tuple[Account, str | None]]]:
    """Accounts with their data centre's code, the oldest first. `filters` by the names of the columns."""
    asked = [getattr(Account, name) == value for name, value in filters.items()]
    where = [accounts.that_match(session, actor, search), *asked, *_after(col(Account.id), after)]
    return session.execute(_account().where(*where).order_by(col(Account.id)).limit(limit)).all()


def account_row(session: Session, actor: Actor, account_id: int) -> Row[tuple[Account, str | None]] | None:
    """The account, if the actor may open it."""
    return session.execute(_account().where(accounts.openable(actor), col(Account.id) == account_id)).first()


def task_rows(session: Session, actor: Actor, account_id: int, after: int | None, limit: int) -> Sequence[BackupTask]:
    """The account's tasks, the oldest first."""
    where = (col(BackupTask.account_id) == account_id, *_after(col(BackupTask.id), after))
    return session.scalars(_task(actor).where(*where).order_by(col(BackupTask.id)).limit(limit)).all()


def task_row(session: Session, actor: Actor, task_id: int) -> BackupTask | None:
    """The task, if its account exists for the actor."""
    return session.scalars(_task(actor).where(col(BackupTask.id) == task_id)).first()


def run_rows(
    session: Session,
    actor: Actor,
    *,
    account_id: int | None,
    task_id: int | None,
    since: datetime | None,
    before: tuple[datetime, int] | None,
    limit: int,
) -> Sequence[BackupRun]:
    """Runs of every account of the actor's, or of one, or of a task; what was heard of last comes first."""
    asked = [
        col(BackupRun.account_id) == account_id if account_id else None,
        col(BackupRun.task_id) == task_id if task_id else None,
        col(BackupRun.received_at) >= since if since else None,
        _heard_before(*before) if before else None,
    ]
    wanted = (
        select(BackupRun)
        .join(Account, col(Account.id) == col(BackupRun.account_id))
        .where(accounts.openable(actor), *(one for one in asked if one is not None))
        .order_by(col(BackupRun.received_at).desc(), col(BackupRun.id).desc())
    )
    return session.scalars(wanted.limit(limit)).all()


def bill_rows(
    session: Session, actor: Actor, *, today: date, status: str, below: int | None, limit: int
) -> Sequence[Row[tuple[Any, ...]]]:
    """Bills of which at least a part is the actor's, the highest number first; with what they see of each."""
    asked = [bill_reading.status(today) == status] if status else []
    place = [col(Bill.number) < below] if below else []
    wanted = bill_reading.rows(actor, today).where(bill_reading.in_scope(actor), *asked, *place)
    return session.execute(wanted.order_by(col(Bill.number).desc()).limit(limit)).all()


def bill_row(session: Session, actor: Actor, today: date, number: int) -> Row[tuple[Any, ...]] | None:
    """The bill of a number, if a part of it is the actor's."""
    where = and_(bill_reading.in_scope(actor), col(Bill.number) == number)
    return session.execute(bill_reading.rows(actor, today).where(where)).first()


def bill_lines(session: Session, bill_id: int, after: int | None, limit: int) -> Sequence[BillLine]:
    """The lines of a bill that the caller has authorised, as they stand on it."""
    place = [] if after is None else [col(BillLine.position) > after]
    wanted = select(BillLine).where(col(BillLine.bill_id) == bill_id, *place)
    return session.scalars(wanted.order_by(col(BillLine.position)).limit(limit)).all()


def user_rows(session: Session, actor: Actor, after: int | None, limit: int) -> Sequence[User]:
    """The partner's users, the oldest first."""
    wanted = select(User).where(users.in_scope(actor), *_after(col(User.id), after))
    return session.scalars(wanted.order_by(col(User.id)).limit(limit)).all()


def data_centers(session: Session) -> Sequence[DataCenter]:
    """Where new accounts may be kept."""
    return session.scalars(
        select(DataCenter).where(col(DataCenter.active).is_(True)).order_by(col(DataCenter.position))
    ).all()


def _account() -> Any:
    return select(Account, col(DataCenter.code)).outerjoin(
        DataCenter, col(DataCenter.id) == col(Account.data_center_id)
    )


def _task(actor: Actor) -> Any:
    mine = accounts.openable(actor)
    return select(BackupTask).join(Account, col(Account.id) == col(BackupTask.account_id)).where(mine)


def _heard_before(at: datetime, run_id: int) -> ColumnElement[bool]:
    place = tuple_(col(BackupRun.received_at), col(BackupRun.id))
    return place < tuple_(literal(at, Instant), literal(run_id))


def _after(key: Any, place: int | None) -> list[ColumnElement[bool]]:
    return [] if place is None else [key > place]

"""Entities for benchmarks: so many for each new task, written by the database itself."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlmodel import Session, col

from portal_app.backups.entities.shown import BILLED, HELD
from portal_app.models import BackupEntity, BackupTask, Outcome, Standing

MOST = 10_000


def add(session: Session, after_id: int, number: int) -> None:
    """`number` entities for each task of the accounts made after `after_id`, counted by their tasks."""
    mine = and_(col(BackupTask.account_id) > after_id, col(BackupTask.last_outcome).is_not(None))
    numbers = _numbers(number)
    row = _row(numbers.c.n, number)
    every = select(*(value.label(name) for name, value in row.items())).join_from(BackupTask, numbers, true())
    session.execute(insert(BackupEntity.__table__).from_select(list(row), every.where(mine)))
    own = col(BackupEntity.task_id) == col(BackupTask.id)
    sums = {
        "entities": select(func.count()).where(own, HELD).scalar_subquery(),
        "billed_entities": select(func.count()).where(own, BILLED).scalar_subquery(),
    }
    session.execute(update(BackupTask).where(mine).values(**sums).execution_options(synchronize_session=False))


def _numbers(number: int) -> CTE:
    """A table of 1 to the number, in its column n."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < number))


def _row(n: ColumnElement[int], number: int) -> dict[str, Any]:
    # Every twelfth has no licence, every twentieth is gone, every fiftieth failed last time.
    failed, digits = n % 50 == 0, func.substr(cast(n + 100_000, String), 2)
    finished = col(BackupTask.last_finished_at)
    return {
        "account_id": col(BackupTask.account_id),
        "task_id": col(BackupTask.id),
        "key": literal("mailbox-") + digits,
        "name": literal("Mailbox ") + digits,
        "name_key": literal("mailbox ") + digits,
        "kind": literal("mailbox"),
        "standing": case((n % 20 == 0, Standing.INACTIVE.value), else_=Standing.ACTIVE.value),
        "licensed": case((n % 12 == 0, false()), else_=true()),
        "size_bytes": col(BackupTask.size_bytes) / number,
        "outcome": case((failed, Outcome.FAILED.value), else_=Outcome.SUCCESSFUL.value),
        "error": case((failed, "It did not answer in time."), else_=""),
        "last_backup_at": case((failed, null()), else_=finished),
        "last_attempt_at": finished,
        "found_at": col(BackupTask.created_at),
        "told": true(),
    }

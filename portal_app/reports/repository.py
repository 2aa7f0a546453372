"""What the usage report reads."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, and_, select
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.backups.repository import visible
from portal_app.models import Account, BackupEntity, BackupTask, Standing

ROWS_AT_ONCE = 1_000
# Whoever waits or is ignored is not backed up.
_USED = (Standing.ACTIVE, Standing.INACTIVE, Standing.ARCHIVED)


def usage(session: Session, actor: Actor, account_ids: Sequence[int]) -> Iterator[Row[Any]]:
    """What the actor's accounts among these hold, in the order of accounts, tasks and entities; a few rows at a time.

    The columns of task and entity are empty where an account has no task, or a task tells of no entities.
    """
    task, entity = BackupTask.__table__.c, BackupEntity.__table__.c
    wanted = (
        select(col(Account.name).label("account"), col(Account.email).label("email"))
        .add_columns(task.service, task.name.label("task"), task.active, task.size_bytes.label("task_bytes"))
        .add_columns(task.last_finished_at, entity.name.label("entity"), entity.kind, entity.standing)
        .add_columns(entity.licensed, entity.size_bytes.label("entity_bytes"), entity.last_backup_at)
        .outerjoin(BackupTask.__table__, task.account_id == col(Account.id))
        .outerjoin(
            BackupEntity.__table__,
            # The account is named for the index that begins with it.
            and_(entity.account_id == col(Account.id), entity.task_id == task.id, entity.standing.in_(_USED)),
        )
        .where(visible(actor), col(Account.id).in_(account_ids))
        .order_by(col(Account.id), task.id, entity.id)
    )
    return iter(session.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)))

"""Reads what can be brought back of an account: tasks that keep something, their backups, and what they hold."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from portal_app import text
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_repository as repository
from portal_app.backups.repository import visible
from portal_app.errors import Denied
from portal_app.models import Account, BackupRun, BackupTask, Outcome

MOST_BACKUPS = 400


@dataclass(frozen=True, slots=True)
class KeptTask:
    """A task of which something is kept."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A run that kept a snapshot."""

    run_id: int
    finished_at: datetime
    outcome: Outcome


def require_any(actor: Actor) -> None:
    """Raise Denied unless the actor may restore or export."""
    if not (actor.may(Permission.DATA_RESTORE) or actor.may(Permission.DATA_EXPORT)):
        raise Denied(Permission.DATA_RESTORE.refusal)


def tasks(session: Session, actor: Actor, account_id: int) -> list[KeptTask]:
    """The account's tasks that keep a backup, by name. Raises Denied."""
    require_any(actor)
    kept = select(BackupRun.id).where(col(BackupRun.task_id) == col(BackupTask.id), _kept())
    found = session.execute(
        select(BackupTask.id, BackupTask.name)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(BackupTask.account_id) == account_id, kept.exists(), visible(actor))
    )
    return sorted((KeptTask(*row) for row in found), key=lambda one: (text.fold(one.name), one.id))


def backups(session: Session, actor: Actor, account_id: int, task_id: int) -> list[KeptBackup]:
    """The task's backups that can be brought back, the newest first; none of a stranger's. Raises Denied."""
    require_any(actor)
    if repository.find(session, actor, account_id, task_id) is None:
        return []
    mine = (col(BackupRun.account_id) == account_id, col(BackupRun.task_id) == task_id)
    found = session.execute(
        select(BackupRun.id, BackupRun.finished_at, BackupRun.outcome)
        .where(*mine, _kept())
        .order_by(col(BackupRun.finished_at).desc(), col(BackupRun.id).desc())
        .limit(MOST_BACKUPS)
    )
    return [KeptBackup(number, at, Outcome(outcome)) for number, at, outcome in found]


def _kept():
    return col(BackupRun.snapshot) != ""

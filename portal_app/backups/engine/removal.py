"""Has the data of a task or an account deleted in its storage: called before the rows go, in the same transaction."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from portal_app.auth.actor import Actor
from portal_app.backups.engine import storages
from portal_app.jobs import queue
from portal_app.models import Account, BackupTask, Job, JobState

FORGET = "forget"


def forget_task(session: Session, actor: Actor, task: BackupTask) -> int | None:
    """Stop what is being done with the task, and delete all it keeps in the storage; gives the job, if it keeps any."""
    account = session.get(Account, task.account_id)
    return _forget(session, actor, account, [task]) if account else None


def forget_account(session: Session, actor: Actor, account: Account) -> int | None:
    """The same for all tasks of an account, in one job."""
    tasks = session.exec(select(BackupTask).where(col(BackupTask.account_id) == account.id)).all()
    return _forget(session, actor, account, tasks)


def _forget(session: Session, actor: Actor, account: Account, tasks: Sequence[BackupTask]) -> int | None:
    numbers = [task.id for task in tasks]
    open_ = col(Job.state).in_([JobState.WAITING, JobState.RUNNING])
    for job in session.exec(select(Job.id).where(col(Job.task_id).in_(numbers), open_, col(Job.kind) != FORGET)):
        queue.cancel(session, job or 0)
    vaults = [task.vault for task in tasks if task.vault]
    if not vaults:
        return None
    payload = {"storage": storages.packed(session, account), "vaults": vaults, "tasks": numbers}
    one = tasks[0].id if len(tasks) == 1 else None
    return queue.add(
        session,
        actor,
        FORGET,
        partner_id=account.partner_id,
        account_id=account.id,
        task_id=one,
        payload=payload,
    )

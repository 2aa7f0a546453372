"""Reads the runs of one task, and what each said."""

from sqlmodel import Session

from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_repository as repository
from portal_app.backups.rows import RunMark, RunRow
from portal_app.errors import NotFound


def runs(session: Session, actor: Actor, account_id: int, task_id: int, before: RunMark | None) -> list[RunRow]:
    """The task's next RUNS_AT_ONCE runs, newest first; none of a task that isn't the actor's to see. Raises Denied."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    return repository.runs(session, actor, account_id, task_id, before)


def run_log(session: Session, actor: Actor, account_id: int, task_id: int, run_id: int) -> tuple[RunRow, str]:
    """A run of the task, and the end of what its engine said. Raises Denied, NotFound."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    found = repository.run(session, actor, account_id, task_id, run_id)
    if found is None:
        raise NotFound("There is no such run.")
    return found

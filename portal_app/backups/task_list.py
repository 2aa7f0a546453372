"""Reads the list of an account's tasks, and how far the work on them is."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from portal_app import text
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_repository as repository
from portal_app.backups.task_query import TaskQuery, View
from portal_app.backups.task_rows import ListedTask, OpenJob, TaskPage
from portal_app.errors import NotFound

NO_ACCOUNT = "There is no such account."
BACKUP = "backup"
_NEVER = datetime.min.replace(tzinfo=UTC)
_ORDER: dict[str, Callable[[ListedTask], Any]] = {
    "service": lambda one: one.service.label,
    "name": lambda one: text.fold(one.name),
    "entities": lambda one: one.entities,
    "billed": lambda one: one.billed_entities,
    "next": lambda one: one.next_run_at or _NEVER,
    "last": lambda one: one.last_finished_at or _NEVER,
    "size": lambda one: one.size_bytes,
    "active": lambda one: not one.active,
}


def page(session: Session, actor: Actor, query: TaskQuery) -> TaskPage:
    """A page of the account's tasks. Raises Denied, NotFound.

    An account has tens of them: they are sifted here, by the same rules of spelling on every database.
    """
    actor.require(Permission.ACCOUNTS_ACCESS)
    if repository.account(session, actor, query.account_id) is None:
        raise NotFound(NO_ACCOUNT)
    every = repository.listed(session, actor, query.account_id)
    running = {job.task_id for job in open_jobs(session, actor, query.account_id)}
    words = text.searchable(query.search)
    rows = [one for one in every if _is_in(query.view, one, running) and words in text.fold(one.name)]
    rows.sort(key=lambda one: (text.fold(one.name), one.id))
    rows.sort(key=_ORDER[query.sort], reverse=query.descending)
    first = (query.page - 1) * query.size
    return TaskPage(rows[first : first + query.size], len(rows), len(every))


def open_jobs(session: Session, actor: Actor, account_id: int) -> list[OpenJob]:
    """The backups of the account that wait or run. Raises Denied."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    return repository.open_jobs(session, actor, account_id, (BACKUP,))


def _is_in(view: str, task: ListedTask, running: set[int]) -> bool:
    if view in (View.ACTIVE, View.PAUSED):
        return task.active == (view == View.ACTIVE)
    if view == View.RUNNING:
        return task.id in running
    if view == View.NEVER:
        return task.last_outcome is None
    return not view or task.last_outcome == view

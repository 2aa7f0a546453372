"""The state of a customer's account page."""

from typing import Any

import reflex as rx
from sqlmodel import Session

from portal_app import db, live
from portal_app.accounts import service as accounts
from portal_app.accounts.rows import AccountDetails
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository
from portal_app.backups.account_rows import RunLine, TaskLine, badges, facts, run_line, task_line
from portal_app.backups.rows import RunMark, RunRow, TaskRow
from portal_app.errors import NotFound
from portal_app.facts import Fact
from portal_app.shell.state import enter
from portal_app.shell.watching import keep_fresh

RUNS_AT_ONCE = 25


class AccountState(rx.State):
    """Head, tasks and runs of the account that the address names."""

    loading: bool = True
    missing: bool = False
    by_partner: bool = False
    title: str = ""
    status: str = ""
    status_kind: str = "grey"
    backup: str = ""
    backup_kind: str = "grey"
    facts: list[Fact] = []
    tasks: list[TaskLine] = []
    runs: list[RunLine] = []
    more: bool = False

    _account_id: int = 0
    _partner_id: int | None = None
    _number: int = 0
    _last: RunMark | None = None

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def load(self):
        """Show the account; opening it is audited in the same transaction that reads it."""
        actor = await enter(self)
        self.reset()
        try:
            self._account_id = accounts.id_in(self.router.url.path)
            details, tasks, runs, self._number = await db.work(_opened, actor, self._account_id)
        except NotFound:
            self.missing, self.loading = True, False
            return
        self._show(actor, details, tasks, runs)
        yield AccountState.watch

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def show_older(self):
        """Show the next older runs below those shown."""
        actor = guard.actor()
        rows = await db.look(_runs, actor, self._account_id, self._last)
        self.runs = [*self.runs, *(run_line(row, actor.time_zone) for row in rows)]
        self._note_end(rows)

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def watch(self):
        """Keep the open page up to date."""
        async with self:
            partner_id, seen = self._partner_id, self._number
        await keep_fresh(self, partner_id, seen, Permission.ACCOUNTS_ACCESS, self._refresh)

    async def _refresh(self, actor: Actor) -> None:
        found = await db.look(_read, actor, self._account_id)
        self._show(actor, *found)

    def _show(self, actor: Actor, details: AccountDetails, tasks: list[TaskRow], runs: list[RunRow]) -> None:
        (status, status_kind), (backup, backup_kind) = badges(details)
        self._partner_id = details.partner_id
        shown: dict[str, Any] = {
            "by_partner": actor.may(Permission.DASHBOARD_VIEW),
            "loading": False,
            "title": details.name,
            "status": status,
            "status_kind": status_kind,
            "backup": backup,
            "backup_kind": backup_kind,
            "facts": facts(details, actor.time_zone),
            "tasks": [task_line(row, actor.time_zone) for row in tasks],
            "runs": [run_line(row, actor.time_zone) for row in runs],
        }
        for name, value in shown.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        self._note_end(runs)

    def _note_end(self, rows: list[RunRow]) -> None:
        self.more = len(rows) == RUNS_AT_ONCE
        self._last = rows[-1].mark if rows else None


def _opened(session: Session, actor: Actor, account_id: int) -> tuple[AccountDetails, list[TaskRow], list[RunRow], int]:
    details = accounts.open_account(session, actor, account_id)
    return *_parts(session, actor, details), live.number_of(session, details.partner_id)


def _read(session: Session, actor: Actor, account_id: int) -> tuple[AccountDetails, list[TaskRow], list[RunRow]]:
    return _parts(session, actor, accounts.account_details(session, actor, account_id))


def _parts(
    session: Session, actor: Actor, details: AccountDetails
) -> tuple[AccountDetails, list[TaskRow], list[RunRow]]:
    return details, repository.tasks_of(session, actor, details.id), _runs(session, actor, details.id, None)


def _runs(session: Session, actor: Actor, account_id: int, before: RunMark | None) -> list[RunRow]:
    return repository.runs_of(session, actor, account_id, RUNS_AT_ONCE, before)

"""The state of the overview of a customer's account."""

import reflex as rx
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import service as accounts
from portal_app.accounts.rows import AccountDetails
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import repository
from portal_app.backups.account_rows import RunLine, TaskLine, facts, run_line, task_line
from portal_app.backups.rows import RunMark, RunRow, TaskRow
from portal_app.facts import Fact
from portal_app.shell.account_state import enter_account, watch_account
from portal_app.shell.listing import assign

RUNS_AT_ONCE = 25


class AccountState(rx.State):
    """Facts, tasks and runs of the account that the address names."""

    loading: bool = True
    facts: list[Fact] = []
    tasks: list[TaskLine] = []
    runs: list[RunLine] = []
    more: bool = False

    _account_id: int = 0
    _last: RunMark | None = None

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def load(self):
        """Show the account."""
        self.reset()
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self._account_id = details.id
        self._show(actor, details, *await db.look(_parts, actor, details.id))
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
        await watch_account(self, self._refresh)

    async def _refresh(self, actor: Actor) -> None:
        details = await db.look(accounts.account_details, actor, self._account_id)
        self._show(actor, details, *await db.look(_parts, actor, details.id))

    def _show(self, actor: Actor, details: AccountDetails, tasks: list[TaskRow], runs: list[RunRow]) -> None:
        shown = {
            "loading": False,
            "facts": facts(details, actor.time_zone),
            "tasks": [task_line(row, actor.time_zone) for row in tasks],
            "runs": [run_line(row, actor.time_zone) for row in runs],
        }
        assign(self, shown)
        self._note_end(runs)

    def _note_end(self, rows: list[RunRow]) -> None:
        self.more = len(rows) == RUNS_AT_ONCE
        self._last = rows[-1].mark if rows else None


def _parts(session: Session, actor: Actor, account_id: int) -> tuple[list[TaskRow], list[RunRow]]:
    return repository.tasks_of(session, actor, account_id), _runs(session, actor, account_id, None)


def _runs(session: Session, actor: Actor, account_id: int, before: RunMark | None) -> list[RunRow]:
    return repository.runs_of(session, actor, account_id, RUNS_AT_ONCE, before)

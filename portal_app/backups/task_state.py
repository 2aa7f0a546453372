"""The state of a task's page: its facts, a page of its entities by the address, its runs, a running backup."""

from functools import partial

import reflex as rx
from sqlmodel import Session

from portal_app import db
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_list, task_reading, tasks
from portal_app.backups.account_rows import RunLine, run_line
from portal_app.backups.engine import runs as engine_runs
from portal_app.backups.entities import service as entities
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.entities.rows import EntityPage
from portal_app.backups.rows import RunMark, RunRow
from portal_app.backups.task_facts import EntityWords, entity_words, task_facts
from portal_app.backups.task_repository import RUNS_AT_ONCE
from portal_app.backups.task_words import JobWords, job_words
from portal_app.backups.ticking_state import TickedLines
from portal_app.errors import NotFound
from portal_app.facts import Fact
from portal_app.models import BackupTask, Standing, TaskEngine
from portal_app.paging import counted
from portal_app.shell.account_state import enter_account, watch_account
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState
from portal_app.shell.watching import keep_asking

BUSY, IDLE = 1.0, 3.0
_DONE = {"add": "added", "ignore": "ignored", "archive": "archived", "reactivate": "reactivated"}


class TaskState(ListState, TickedLines, rx.State):
    """One backup task."""

    loading: bool = True
    missing: bool = False
    account_id: int = 0
    task_id: int = 0
    name: str = ""
    built_in: bool = False
    facts: list[Fact] = []
    may_manage: bool = False
    may_run: bool = False
    may_recover: bool = False
    # The backup that waits or runs now; none or one.
    jobs: list[JobWords] = []

    lines: list[EntityWords] = []
    state: str = ""
    standing: str = ""
    sort: str = EntityQuery.ORDER
    descending: bool = False
    waiting: int = 0

    runs: list[RunLine] = []
    more_runs: bool = False
    log_of: str = ""
    log: str = ""
    log_message: str = ""

    _last: RunMark | None = None

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def load(self):
        """Show the task that the address names."""
        self.reset()
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self.account_id = details.id
        self.may_manage, self.may_run = actor.may(Permission.TASKS_MANAGE), actor.may(Permission.BACKUPS_RUN)
        self.may_recover = bool({Permission.DATA_RESTORE, Permission.DATA_EXPORT} & actor.permissions)
        try:
            self.task_id = id_in(self.router.url.path, "tasks")
            await self._show(actor)
        except NotFound:
            self.missing = True
            return
        yield [TaskState.watch, TaskState.follow]

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def answer(self):
        """Show the entities that the address asks for after a click on this very page, or Back."""
        if self.task_id and self.router.url.path.rstrip("/").endswith(f"/tasks/{self.task_id}"):
            self.ticked = []
            await self._show_entities(guard.actor())

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def watch(self):
        """Keep the open page up to date."""
        await watch_account(self, self._refresh)

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def follow(self):
        """Show how far a running backup is."""
        await keep_asking(self, Permission.ACCOUNTS_ACCESS, self._look_at_jobs)

    @rx.event
    @guard.requires(Permission.BACKUPS_RUN)
    async def back_up(self):
        """Start a backup now."""
        actor = guard.actor()
        await db.look(tasks.get, actor, self.account_id, self.task_id)
        await db.work(engine_runs.start, actor, self.task_id)
        await self._look_at_jobs(actor)
        return NoticeState.tell("green", f"The backup of {self.name} has been started.")

    @rx.event
    @guard.requires(Permission.BACKUPS_RUN)
    async def stop(self, job_id: int):
        """Stop the backup that waits or runs."""
        actor = guard.actor()
        await db.work(engine_runs.cancel, actor, job_id)
        await self._look_at_jobs(actor)

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def decide(self, decision: str, entity_id: int):
        """Add, ignore, archive or reactivate one entity; those that are ticked where the number is 0."""
        actor, chosen = guard.actor(), [entity_id] if entity_id else list(self.ticked)
        if not chosen:
            return None
        await db.look(tasks.get, actor, self.account_id, self.task_id)
        done = await db.work(entities.decide, actor, self.task_id, chosen, decision)
        self.ticked = []
        await self._show(actor)
        left = len(chosen) - done
        told = f" {left} left as {'it is' if left == 1 else 'they are'}." if left else ""
        return NoticeState.tell("green", f"{done:,} {'entity' if done == 1 else 'entities'} {_DONE[decision]}.{told}")

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def show_older(self):
        """Show the next older runs below those shown."""
        actor = guard.actor()
        rows = await db.look(task_reading.runs, actor, self.account_id, self.task_id, self._last)
        self.runs = [*self.runs, *(run_line(row, actor.time_zone) for row in rows)]
        self._note_end(rows)

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def show_log(self, run_id: int):
        """Show what a run said."""
        actor = guard.actor()
        row, self.log = await db.look(task_reading.run_log, actor, self.account_id, self.task_id, run_id)
        line = run_line(row, actor.time_zone)
        self.log_of, self.log_message = f"Run of {line['started']['text']}", row.message

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def close_log(self):
        """Close the log."""
        self.log_of, self.log, self.log_message = "", "", ""

    async def _refresh(self, actor: Actor) -> None:
        try:
            await self._show(actor)
        except NotFound:
            self.missing = True

    async def _look_at_jobs(self, actor: Actor) -> float:
        """Give after how many seconds to look again; a backup that ended brings the page up to date."""
        before = len(self.jobs)
        await self._show_jobs(actor)
        if before and not self.jobs:
            await self._refresh(actor)
        return BUSY if self.jobs else IDLE

    async def _show_jobs(self, actor: Actor) -> None:
        found = await db.glance(task_list.open_jobs, actor, self.account_id)
        assign(self, {"jobs": [job_words(job) for job in found if job.task_id == self.task_id]})

    async def _show(self, actor: Actor) -> None:
        task, runs = await db.look(_parts, actor, self.account_id, self.task_id)
        shown = {
            "name": task.name,
            "built_in": task.engine == TaskEngine.BUILT_IN,
            "facts": task_facts(task, actor.time_zone),
            "runs": [run_line(row, actor.time_zone) for row in runs],
        }
        assign(self, shown)
        self._note_end(runs)
        await self._show_jobs(actor)
        await self._show_entities(actor)

    async def _show_entities(self, actor: Actor) -> None:
        query = EntityQuery.from_address(
            self.router.url.query_parameters, account_id=self.account_id, task_id=self.task_id
        )
        found: EntityPage
        found, shown = await answer_to(query, partial(db.look, entities.page, actor))
        lines = [entity_words(row, actor.time_zone) for row in found.rows]
        own = {
            "loading": False,
            "lines": lines,
            "count": counted(found.matching, found.total, "entity").replace("entitys", "entities"),
            "waiting": found.standings.get(Standing.WAITING, 0),
            "ticked": [one for one in self.ticked if any(line["id"] == one for line in lines)],
        }
        assign(self, own | shown)

    def _note_end(self, rows: list[RunRow]) -> None:
        self.more_runs = len(rows) == RUNS_AT_ONCE
        self._last = rows[-1].mark if rows else None


def _parts(session: Session, actor: Actor, account_id: int, task_id: int) -> tuple[BackupTask, list[RunRow]]:
    task = tasks.get(session, actor, account_id, task_id)
    return task, task_reading.runs(session, actor, account_id, task_id, None)

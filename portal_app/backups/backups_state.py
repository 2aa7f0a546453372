"""The state of an account's Backups: a list by its address, what is ticked, and how far running backups are."""

from functools import partial
from typing import Any

import reflex as rx

from portal_app import db
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import task_list, tasks
from portal_app.backups.engine import runs
from portal_app.backups.task_query import TaskQuery
from portal_app.backups.task_words import JobWords, TaskWords, job_words, task_words
from portal_app.backups.ticking_state import TickedLines
from portal_app.errors import PortalError
from portal_app.paging import counted
from portal_app.shell.account_state import enter_account, watch_account
from portal_app.shell.listing import ListState, answer_to, assign
from portal_app.shell.state import NoticeState
from portal_app.shell.watching import keep_asking

# Seconds between two looks at the jobs, while one is open and while none is.
BUSY, IDLE = 1.0, 3.0


class BackupsState(ListState, TickedLines, rx.State):
    """A page of the account's tasks."""

    loading: bool = True
    lines: list[TaskWords] = []
    # By the task's id as text.
    jobs: dict[str, JobWords] = {}
    view: str = ""
    sort: str = TaskQuery.ORDER
    descending: bool = False
    may_manage: bool = False
    may_delete: bool = False
    may_run: bool = False

    asked_name: str = ""
    typed: str = ""
    ask_error: str = ""
    busy: bool = False

    _account_id: int = 0
    _asked_id: int = 0

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def load(self):
        """Show what the address asks for, and watch it."""
        self.reset()
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self._account_id = details.id
        self.may_manage, self.may_delete = actor.may(Permission.TASKS_MANAGE), actor.may(Permission.TASKS_DELETE)
        self.may_run = actor.may(Permission.BACKUPS_RUN)
        await self._show(actor)
        yield [BackupsState.watch, BackupsState.follow]

    @rx.event
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def answer(self):
        """Show what the address asks for after a click on this very page, or Back, changed the question."""
        path = self.router.url.path.rstrip("/")
        if path.endswith("/backups") and id_in(path, "accounts") == self._account_id:
            self.ticked = []
            await self._show(guard.actor())

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def watch(self):
        """Keep the open page up to date."""
        await watch_account(self, self._show)

    @rx.event(background=True)
    @guard.requires(Permission.ACCOUNTS_ACCESS)
    async def follow(self):
        """Show how far running backups are."""
        await keep_asking(self, Permission.ACCOUNTS_ACCESS, self._look_at_jobs)

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def set_ticked(self, active: bool):
        """Activate or pause the ticked tasks."""
        if not self.ticked:
            return None
        done, chosen = await self._set_active(self.ticked, active), len(self.ticked)
        self.ticked = []
        verb = "activated" if active else "paused"
        left = f" {chosen - done} {'was' if chosen - done == 1 else 'were'} so already." if done < chosen else ""
        return NoticeState.tell("green", f"{done} of {_tasks(chosen)} {verb}.{left}")

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def switch(self, task_id: int, active: bool):
        """Turn one task on or off."""
        await self._set_active([task_id], active)

    @rx.event
    @guard.requires(Permission.BACKUPS_RUN)
    async def back_up(self, task_id: int):
        """Start a backup now."""
        actor = guard.actor()
        task = await db.look(tasks.get, actor, self._account_id, task_id)
        await db.work(runs.start, actor, task_id)
        await self._look_at_jobs(actor)
        return NoticeState.tell("green", f"The backup of {task.name} has been started.")

    @rx.event
    @guard.requires(Permission.BACKUPS_RUN)
    async def stop(self, job_id: int):
        """Stop a backup that waits or runs."""
        actor = guard.actor()
        await db.work(runs.cancel, actor, job_id)
        await self._look_at_jobs(actor)

    @rx.event
    @guard.requires(Permission.TASKS_DELETE)
    async def ask_delete(self, task_id: int):
        """Ask before a task is deleted."""
        found = next((line for line in self.lines if line["id"] == task_id), None)
        if found:
            self.asked_name, self._asked_id, self.typed, self.ask_error = found["name"], task_id, "", ""

    @rx.event
    @guard.requires(Permission.TASKS_DELETE)
    async def type_name(self, text: str):
        """What is typed as the confirmation."""
        self.typed = str(text)[:200]

    @rx.event
    @guard.requires(Permission.TASKS_DELETE)
    async def close(self):
        """Delete nothing."""
        self.asked_name = ""

    @rx.event
    @guard.requires(Permission.TASKS_DELETE)
    async def delete(self):
        """Delete the task, with its runs and its data."""
        if self.busy or not self.asked_name:
            return
        self.busy, self.ask_error = True, ""
        yield
        try:
            name = await db.work(tasks.delete, guard.actor(), self._account_id, self._asked_id, self.typed)
        except PortalError as refusal:
            self.ask_error = refusal.sentence
            return
        finally:
            self.busy = False
        self.asked_name, self.ticked = "", []
        await self._show(guard.actor())
        yield NoticeState.tell("green", f"{name} was deleted. Its data is being removed from the storage.")

    async def _set_active(self, task_ids: list[int], active: bool) -> int:
        actor = guard.actor()
        done = await db.work(tasks.set_active, actor, self._account_id, list(task_ids), active=active)
        await self._show(actor)
        return done

    async def _look_at_jobs(self, actor: Actor) -> float:
        """Give after how many seconds to look again; a job that ended brings the list up to date."""
        before = set(self.jobs)
        found = await db.glance(task_list.open_jobs, actor, self._account_id)
        assign(self, {"jobs": {str(job.task_id): job_words(job) for job in found}})
        if before - set(self.jobs):
            await self._show(actor)
        return BUSY if found else IDLE

    async def _show(self, actor: Actor) -> None:
        values: dict[str, Any] = self.router.url.query_parameters
        query = TaskQuery.from_address(values, account_id=self._account_id)
        found, shown = await answer_to(query, partial(db.look, task_list.page, actor))
        jobs = await db.glance(task_list.open_jobs, actor, self._account_id)
        lines = [task_words(row, self._account_id, actor.time_zone) for row in found.rows]
        own = {
            "loading": False,
            "lines": lines,
            "jobs": {str(job.task_id): job_words(job) for job in jobs},
            "count": counted(found.matching, found.total, "backup task"),
            "ticked": [one for one in self.ticked if any(line["id"] == one for line in lines)],
        }
        assign(self, own | shown)


def _tasks(number: int) -> str:
    return f"{number} {'task' if number == 1 else 'tasks'}"

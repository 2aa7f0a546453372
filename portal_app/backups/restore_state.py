"""The state of Restore & Export. Task and date live in the address; what is ticked is kept here."""

from typing import Any, TypedDict

import reflex as rx

from portal_app import db
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import restore_reading, tasks
from portal_app.backups.engine import recovery
from portal_app.backups.entities import service as entities
from portal_app.backups.entities.query import EntityQuery
from portal_app.backups.restore_words import RecoveryWords, backup_label, recovery_words
from portal_app.errors import PortalError
from portal_app.paging import LONGEST_SEARCH, pages_of
from portal_app.shell.account_state import enter_account
from portal_app.shell.listing import assign
from portal_app.shell.state import NoticeState
from portal_app.shell.watching import keep_asking
from portal_app.ui.choice import Option, option

BUSY, IDLE = 1.0, 3.0
PAGE_SIZE = 25
MOST_TICKED = 2_000


class EntityTick(TypedDict):
    """An entity as a tick box."""

    id: int
    name: str
    kind: str


class RestoreState(rx.State):
    """What is to be brought back, and what was."""

    loading: bool = True
    tasks: list[Option] = []
    task: str = ""
    dates: list[Option] = []
    run: str = ""
    which: str = "all"
    entities: list[EntityTick] = []
    chosen: list[int] = []
    search: str = ""
    page: int = 1
    pages: int = 1
    rows: list[RecoveryWords] = []
    may_restore: bool = False
    may_export: bool = False

    asking: bool = False
    error: str = ""
    busy: bool = False

    _account_id: int = 0

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def load(self):
        """Show what can be brought back, and what was."""
        self.reset()
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self._account_id = details.id
        self.may_restore, self.may_export = actor.may(Permission.DATA_RESTORE), actor.may(Permission.DATA_EXPORT)
        kept = await db.look(restore_reading.tasks, actor, details.id)
        self.tasks = [option(str(one.id), one.name) for one in kept]
        await self._choose(actor)
        await self._look_at_jobs(actor)
        self.loading = False
        yield RestoreState.follow

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def answer(self):
        """Another task or date."""
        path = self.router.url.path.rstrip("/")
        if path.endswith("/restore") and id_in(path, "accounts") == self._account_id:
            await self._choose(guard.actor())

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def choose_which(self, value: str):
        """Everything, or chosen entities."""
        self.which, self.error = "chosen" if value == "chosen" else "all", ""
        await self._show_entities(guard.actor())

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def search_entities(self, text: str):
        """Look for entities by name."""
        self.search, self.page = str(text)[:LONGEST_SEARCH], 1
        await self._show_entities(guard.actor())

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def turn(self, by: int):
        """The page before, or the next one."""
        self.page = min(self.pages, max(1, self.page + (1 if by > 0 else -1)))
        await self._show_entities(guard.actor())

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def tick(self, entity_id: int, ticked: bool):
        """Choose an entity, or not."""
        rest = [other for other in self.chosen if other != entity_id]
        here = any(one["id"] == entity_id for one in self.entities)
        self.chosen = [*rest, entity_id] if ticked and here and len(rest) < MOST_TICKED else rest

    @rx.event
    @guard.requires(Permission.DATA_RESTORE)
    async def ask_original(self):
        """Ask before anything is written over what is there now."""
        self.error = self._fault()
        self.asking = not self.error

    @rx.event
    @guard.requires(Permission.DATA_RESTORE)
    async def close(self):
        """Restore nothing."""
        self.asking = False

    @rx.event
    @guard.requires(Permission.DATA_RESTORE)
    async def restore(self, to: str):
        """Start a restore into a new folder, or over what is there."""
        to = recovery.ORIGINAL if to == recovery.ORIGINAL else recovery.COPY
        if to == recovery.ORIGINAL and not self.asking:
            return
        self.asking = False
        async for told in self._start(recovery.start_restore, "The restore has been started.", to):
            yield told

    @rx.event
    @guard.requires(Permission.DATA_EXPORT)
    async def export(self):
        """Start an export."""
        async for told in self._start(recovery.start_export, "The export has been started. Its file appears below."):
            yield told

    @rx.event
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def stop(self, job_id: int):
        """Stop a restore or an export."""
        actor = guard.actor()
        await db.work(recovery.cancel, actor, job_id)
        await self._look_at_jobs(actor)

    @rx.event(background=True)
    @guard.requires(Permission.DATA_RESTORE, Permission.DATA_EXPORT)
    async def follow(self):
        """Show how far they are."""
        await keep_asking(self, Permission.ACCOUNTS_ACCESS, self._look_at_jobs)

    async def _start(self, start: Any, told: str, *more: str):
        self.error = self._fault()
        if self.error or self.busy:
            return
        self.busy = True
        yield
        actor, chosen = guard.actor(), list(self.chosen) if self.which == "chosen" else []
        try:
            await db.look(tasks.get, actor, self._account_id, int(self.task))
            await db.work(start, actor, int(self.task), int(self.run), chosen, *more)
        except PortalError as refusal:
            self.error = refusal.sentence
            return
        finally:
            self.busy = False
        await self._look_at_jobs(actor)
        yield NoticeState.tell("green", told)

    def _fault(self) -> str:
        if not self.task or not self.run:
            return "Choose a task and a date."
        return "Tick what is to be brought back." if self.which == "chosen" and not self.chosen else ""

    async def _choose(self, actor: Actor) -> None:
        """Show task and date of the address; the first task and its newest backup where it names none."""
        asked = self.router.url.query_parameters
        task = _one_of(str(asked.get("task", "")), self.tasks)
        if task != self.task:
            self.chosen, self.search, self.page, self.which = [], "", 1, "all"
        self.task, self.error = task, ""
        kept = await db.look(restore_reading.backups, actor, self._account_id, int(task)) if task else []
        self.dates = [option(str(one.run_id), backup_label(one, actor.time_zone)) for one in kept]
        self.run = _one_of(str(asked.get("run", "")), self.dates)
        await self._show_entities(actor)

    async def _show_entities(self, actor: Actor) -> None:
        if not self.task or self.which != "chosen":
            self.entities = []
            return
        query = EntityQuery(
            account_id=self._account_id, task_id=int(self.task), search=self.search, page=self.page, size=PAGE_SIZE
        )
        found = await db.look(entities.page, actor, query)
        self.pages = pages_of(found.matching, PAGE_SIZE)
        self.entities = [EntityTick(id=row.id, name=row.name, kind=row.kind) for row in found.rows]

    async def _look_at_jobs(self, actor: Actor) -> float:
        found = await db.look(recovery.listed, actor, self._account_id)
        rows = [recovery_words(row, actor.time_zone) for row in found]
        assign(self, {"rows": rows})
        return BUSY if any(row["open"] for row in rows) else IDLE


def _one_of(asked: str, options: list[Option]) -> str:
    """What was asked for if it is offered, else the first."""
    values = [one["value"] for one in options]
    return asked if asked in values else next(iter(values), "")

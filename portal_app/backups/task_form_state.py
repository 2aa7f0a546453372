"""The form of a backup task. What is typed stays in the browser's own fields; secrets pass through and stay nowhere."""

from typing import Any

import anyio.to_thread
import reflex as rx

from portal_app import db
from portal_app.accounts.service import id_in
from portal_app.auth import guard
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import tasks
from portal_app.backups.engine import sources
from portal_app.backups.engine.sources import Source
from portal_app.backups.rows import Service
from portal_app.backups.task_forms import SOURCE, WantedTask
from portal_app.errors import Invalid, NotFound, PortalError
from portal_app.models import BackupTask, Discovery, Every, SourceKind, TaskEngine
from portal_app.shell.account_state import enter_account
from portal_app.shell.state import tell_on_next_page

LONGEST = 20_000
# What the form is sent for.
CHECK, SAVE = "check", "save"
_KINDS = [kind.value for kind in SourceKind]


class TaskFormState(rx.State):
    """A new task, or one that is there."""

    ready: bool = False
    missing: bool = False
    is_new: bool = True
    name: str = ""
    service: str = Service.GENERIC
    engine: str = TaskEngine.BUILT_IN
    key: str = ""
    kind: str = SourceKind.S3
    folders: bool = False
    # What may be shown again of the source, by the names of the form.
    source: dict[str, str] = {}
    # The kind whose secrets are kept.
    kept: str = ""
    every: str = Every.DAILY
    hour: str = "2"
    keep: str = "90"
    discovery: str = Discovery.ADD

    errors: dict[str, str] = {}
    error: str = ""
    checked: str = ""
    checking: bool = False
    busy: bool = False

    _account_id: int = 0
    _task_id: int = 0
    _saved: bool = False

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def load(self):
        """The form of a new task, or of the one in the address."""
        self.reset()
        # The form is made anew: its fields take what they begin with only then.
        yield
        found = await enter_account(self)
        if found is None:
            return
        actor, details = found
        self._account_id = details.id
        self.is_new = self.router.url.path.rstrip("/").endswith("/tasks/new")
        self.folders = await db.look(tasks.may_read_folders, actor, details.id)
        try:
            if not self.is_new:
                await self._fill(actor)
        except NotFound:
            self.missing = True
            return
        self.ready = True

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def choose_engine(self, value: str):
        """Who makes the backups."""
        if self.is_new and value in list(TaskEngine):
            self.engine, self.errors, self.error = value, {}, ""

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def choose_kind(self, value: str):
        """What is backed up; each kind has fields of its own."""
        if value in _KINDS:
            self.kind, self.checked = value, ""
            self.errors = {name: said for name, said in self.errors.items() if not name.startswith("source")}

    @rx.event(background=True)
    @guard.requires(Permission.TASKS_MANAGE)
    async def check(self, form: dict):
        """Really look into the source that is typed. It may take half a minute: the tab's other clicks go on."""
        async with self:
            if form.get("intent") != CHECK or self.checking or self.busy:
                return
            self.checking, self.checked, self.error = True, "", ""
            wanted, actor = self._wanted(form), await guard.check_again(self, Permission.TASKS_MANAGE)
            asked = (actor, self._account_id, self._task_id or None, wanted)
        faults, sentence = await _look_into(*asked)
        async with self:
            await guard.check_again(self, Permission.TASKS_MANAGE)
            rest = {name: said for name, said in self.errors.items() if not name.startswith("source")}
            self.checking, self.errors, self.error = False, rest | faults, sentence
            self.checked = "" if faults or sentence else "The source answers, and what it holds can be listed."

    @rx.event
    @guard.requires(Permission.TASKS_MANAGE)
    async def save(self, form: dict):
        """Check and save; faults stand by their fields, and what was typed stays."""
        if form.get("intent") != SAVE or self.busy or self._saved or not self.ready:
            return
        self.busy, self.errors, self.error, self.checked = True, {}, "", ""
        yield
        wanted = self._wanted(form)
        try:
            await self._save(wanted)
        except PortalError as refusal:
            self.errors, self.error = refusal.fields, refusal.sentence
            return
        finally:
            self.busy = False
        self._saved = True
        await tell_on_next_page(self, f"{wanted.title} was {'added' if self.is_new else 'saved'}.")
        yield rx.redirect(f"/accounts/{self._account_id}/backups")

    async def _save(self, wanted: WantedTask) -> None:
        actor = guard.actor()
        if self.is_new:
            await db.work(tasks.add, actor, self._account_id, wanted)
        else:
            await db.work(tasks.change, actor, self._account_id, self._task_id, wanted)

    async def _fill(self, actor: Actor) -> None:
        self._task_id = id_in(self.router.url.path, "tasks")
        task: BackupTask = await db.look(tasks.get, actor, self._account_id, self._task_id)
        source: Source | None = await db.look(tasks.source_of, actor, self._account_id, self._task_id)
        self.name, self.service, self.engine, self.key = task.name, task.service, task.engine, task.key
        self.every, self.hour, self.discovery = task.every, str(task.hour), task.discovery
        self.keep = str(task.keep_days or 0)
        if source is not None:
            self.kind = self.kept = source.kind
            self.source = {f"{SOURCE}{source.kind}-{name}": value for name, value in source.shown.items()}

    def _wanted(self, form: dict[str, Any]) -> WantedTask:
        typed = {key: value[:LONGEST] for key, value in form.items() if isinstance(value, str)}
        mine = f"{SOURCE}{self.kind}-"
        return WantedTask(
            name=typed.get("name", ""),
            service=typed.get("service", ""),
            engine=self.engine,
            every=typed.get("every", ""),
            hour=typed.get("hour", ""),
            keep=typed.get("keep", ""),
            discovery=typed.get("discovery", ""),
            source_kind=self.kind,
            source={key.removeprefix(mine): value for key, value in typed.items() if key.startswith(mine)},
        )


async def _look_into(
    actor: Actor, account_id: int, task_id: int | None, wanted: WantedTask
) -> tuple[dict[str, str], str]:
    """What is wrong with the source: sentences by field, and one for all; both empty when nothing is."""
    try:
        source = await db.look(tasks.parse_source, actor, account_id, task_id, wanted)
        await anyio.to_thread.run_sync(_checked, source)
    except Invalid as refusal:
        return refusal.fields, refusal.sentence
    except PortalError as refusal:
        return {}, refusal.sentence
    return {}, ""


def _checked(source: Source) -> None:
    with tasks.named():
        sources.check(source)

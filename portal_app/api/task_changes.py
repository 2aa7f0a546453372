"""Changes of backup tasks: POST /api/v1/accounts/{id}/tasks, PATCH and DELETE /api/v1/tasks/{id}."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response
from pydantic import Field
from sqlmodel import Session

from portal_app import db
from portal_app.api.answers import Body, Id, writing
from portal_app.api.policy import Caller, requires
from portal_app.api.tasks import TaskOut, found_task, shown
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups import tasks
from portal_app.backups.rows import Service
from portal_app.backups.task_forms import SOURCE, WantedTask
from portal_app.errors import Invalid
from portal_app.models import BackupTask, Discovery, Every, SourceKind, TaskEngine

_KEPT = "For how many days backups are kept: 30, 90, 365 or 2555; null for ever."
_SOURCE_VALUES = "By the names of the source's fields, as the page asks for them; secrets are kept sealed."


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.post("/v1/accounts/{account_id}/tasks", status_code=201, responses=writing())(add_task)
    app.patch("/v1/tasks/{task_id}", responses=writing())(change_task)
    told = "The task is deleted, its data in the storage follows."
    app.delete("/v1/tasks/{task_id}", status_code=204, responses=writing(), response_description=told)(delete_task)


class NewTaskIn(Body):
    """A new backup task."""

    name: str = Field(max_length=1000, description="Its name for people.", examples=["Files"])
    engine: TaskEngine = Field(TaskEngine.REPORTED, description="Who makes its backups; stays as it is.")
    service: Service = Field(Service.GENERIC, description="The service that it backs up.")
    every: Every = Field(Every.DAILY, description="How often the portal backs it up.")
    hour: int = Field(2, ge=0, le=23, description="At which hour of the day, in UTC.")
    keep_days: int | None = Field(None, ge=1, description=_KEPT)
    discovery: Discovery = Field(Discovery.ADD, description="What becomes of an entity seen for the first time.")
    source: SourceKind | None = Field(None, description="What the portal reads from, for a built-in one.")
    source_values: dict[str, str] = Field(default_factory=dict, max_length=40, repr=False, description=_SOURCE_VALUES)


class TaskChangeIn(Body):
    """What to change of a task; what is left out stays."""

    name: str | None = Field(None, max_length=1000, description="Its name for people.", examples=["Files"])
    service: Service | None = Field(None, description="The service that it backs up.")
    active: bool | None = Field(None, description="False pauses it.")
    every: Every | None = Field(None, description="How often the portal backs it up.")
    hour: int | None = Field(None, ge=0, le=23, description="At which hour of the day, in UTC.")
    keep_days: int | None = Field(None, ge=1, description=_KEPT)
    discovery: Discovery | None = Field(None, description="What becomes of an entity seen for the first time.")
    source_values: dict[str, str] = Field(default_factory=dict, max_length=40, repr=False, description=_SOURCE_VALUES)


@requires(Permission.TASKS_MANAGE)
async def add_task(account_id: Id, new: NewTaskIn, actor: Caller) -> TaskOut:
    """Add a backup task to an account."""
    return shown(await db.work(_add, actor, account_id, new))


def _add(session: Session, actor: Actor, account_id: int, new: NewTaskIn) -> BackupTask:
    wanted = WantedTask(
        name=new.name,
        service=new.service,
        engine=new.engine,
        every=new.every,
        hour=str(new.hour),
        keep=str(new.keep_days or 0),
        discovery=new.discovery,
        source_kind=new.source or "",
        source=new.source_values,
    )
    with _named():
        task_id = tasks.add(session, actor, account_id, wanted)
    return found_task(session, actor, task_id)


@requires(Permission.TASKS_MANAGE)
async def change_task(task_id: Id, change: TaskChangeIn, actor: Caller) -> TaskOut:
    """Change a backup task, pause it or let it go on."""
    return shown(await db.work(_change, actor, task_id, change))


def _change(session: Session, actor: Actor, task_id: int, change: TaskChangeIn) -> BackupTask:
    actor.require(Permission.TASKS_MANAGE)
    task = found_task(session, actor, task_id)
    given = change.model_dump(exclude_unset=True, exclude={"active"})
    with _named():
        if given:
            tasks.change(session, actor, task.account_id, task_id, _wanted(task, given))
        if change.active is not None:
            tasks.set_active(session, actor, task.account_id, [task_id], active=change.active)
    session.flush()
    return task


def _wanted(task: BackupTask, given: dict[str, Any]) -> WantedTask:
    def value(name: str) -> Any:
        # Null says nothing, but of how long backups are kept, where it says: for ever.
        return given[name] if given.get(name) is not None else getattr(task, name)

    keep = given.get("keep_days", task.keep_days)
    return WantedTask(
        name=value("name"),
        service=value("service"),
        engine=task.engine,
        every=value("every"),
        hour=str(value("hour")),
        keep=str(keep or 0),
        discovery=value("discovery"),
        source_kind=task.source_kind or "",
        source=given.get("source_values", {}),
    )


@requires(Permission.TASKS_DELETE)
async def delete_task(
    task_id: Id, name: Annotated[str, Query(max_length=1000, description="The task's name, to be sure.")], actor: Caller
) -> Response:
    """Delete a backup task with its runs and its data in the storage. This can't be undone."""
    await db.work(_delete, actor, task_id, name)
    return Response(status_code=204)


def _delete(session: Session, actor: Actor, task_id: int, name: str) -> None:
    actor.require(Permission.TASKS_DELETE)
    task = found_task(session, actor, task_id)
    tasks.delete(session, actor, task.account_id, task_id, name)


@contextmanager
def _named() -> Iterator[None]:
    """Gives faults of the page's form the names that their fields have here."""
    others = {"keep": "keep_days", "source_kind": "source"}
    try:
        yield
    except Invalid as refusal:
        told = refusal.fields.items()
        names = {name: "source_values" if name.startswith(SOURCE) else others.get(name, name) for name, _ in told}
        raise Invalid(refusal.sentence, **{names[name]: sentence for name, sentence in told}) from None

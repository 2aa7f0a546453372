"""Backup tasks: GET /api/v1/accounts/{id}/tasks, GET /api/v1/tasks/{id}, and POST …/run."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import service as accounts
from portal_app.api import repository
from portal_app.api.answers import Id, reading, writing
from portal_app.api.pages import Asked, Page, Turned
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.engine import runs as engine
from portal_app.errors import NotFound
from portal_app.models import BackupTask, Discovery, Every, Outcome, SourceKind, TaskEngine

NO_SUCH_TASK = "There is no such task."


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/accounts/{account_id}/tasks", responses=reading(one=True))(list_tasks)
    app.get("/v1/tasks/{task_id}", responses=reading(one=True))(get_task)
    told = "The backup is waiting for its turn."
    app.post("/v1/tasks/{task_id}/run", status_code=202, responses=writing(), response_description=told)(run_task)


class TaskOut(BaseModel):
    """A backup task of an account."""

    id: int = Field(description="The task's number.")
    account_id: int = Field(description="The account's number.")
    key: str = Field(description="Name under which an engine reports it.")
    name: str = Field(description="Its name for people.")
    service: str = Field(description="What it backs up.")
    engine: TaskEngine = Field(description="Whether a tool outside reports its runs, or the portal makes them.")
    active: bool = Field(description="False while it is paused.")
    every: Every = Field(description="How often it is backed up.")
    hour: int = Field(description="At which hour of the day, in UTC.")
    keep_days: int | None = Field(description="How many days its backups are kept; null for ever.")
    discovery: Discovery = Field(description="What becomes of an entity that a run sees for the first time.")
    source: SourceKind | None = Field(description="What the built-in engine reads from.")
    place: str = Field(description="Where that is, in words without secrets.")
    entities: int = Field(description="How many entities it holds.")
    billed_entities: int = Field(description="How many of them count for the bill: active ones, but for unlicensed.")
    size_bytes: int = Field(description="Bytes of its data.")
    last_outcome: Outcome | None = Field(description="How its last run ended; null before the first.")
    last_finished: datetime | None = Field(description="When that was.")
    next_run: datetime | None = Field(description="When the built-in engine runs it next.")
    created: datetime = Field(description="When it was added.")


class Started(BaseModel):
    """A backup that was asked for."""

    job: int = Field(description="The number of the job that makes it.")


@requires(Permission.ACCOUNTS_ACCESS)
async def list_tasks(account_id: Id, asked: Annotated[Asked, Query()], actor: Caller, turn: Turned) -> Page[TaskOut]:
    """List the backup tasks of an account, the oldest first."""
    rows = await db.look(_read, actor, account_id, asked)
    return turn.page(rows, asked.limit, shown, lambda task: (task.id,))


def _read(session: Session, actor: Actor, account_id: int, asked: Asked) -> Any:
    actor.require(Permission.ACCOUNTS_ACCESS)
    accounts.get(session, actor, account_id)
    after = asked.place()
    return repository.task_rows(session, actor, account_id, after[0] if after else None, asked.limit + 1)


@requires(Permission.ACCOUNTS_ACCESS)
async def get_task(task_id: Id, actor: Caller) -> TaskOut:
    """Get one backup task."""
    return shown(await db.look(found_task, actor, task_id))


def found_task(session: Session, actor: Actor, task_id: int) -> BackupTask:
    """The task. Raises Denied, NotFound."""
    actor.require(Permission.ACCOUNTS_ACCESS)
    found = repository.task_row(session, actor, task_id)
    if found is None:
        raise NotFound(NO_SUCH_TASK)
    return found


@requires(Permission.BACKUPS_RUN)
async def run_task(task_id: Id, actor: Caller) -> Started:
    """Back a task up now, if the portal makes its backups."""
    return Started(job=await db.work(engine.start, actor, task_id))


def shown(task: BackupTask) -> TaskOut:
    """The task as the API tells it."""
    return TaskOut(
        id=task.id or 0,
        account_id=task.account_id,
        key=task.key,
        name=task.name,
        service=task.service,
        engine=task.engine,
        active=task.active,
        every=task.every,
        hour=task.hour,
        keep_days=task.keep_days,
        discovery=task.discovery,
        source=task.source_kind,
        place=task.source_place,
        entities=task.entities,
        billed_entities=task.billed_entities,
        size_bytes=task.size_bytes,
        last_outcome=task.last_outcome,
        last_finished=task.last_finished_at,
        next_run=task.next_run_at,
        created=task.created_at,
    )

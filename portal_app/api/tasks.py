"""Backup tasks: GET /api/v1/accounts/{id}/tasks, GET /api/v1/tasks/{id}, its entities, and POST …/run."""

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
from portal_app.backups.entities import repository as entities
from portal_app.backups.entities.rows import EntityRow
from portal_app.errors import NotFound
from portal_app.models import BackupTask, Discovery, Every, Outcome, SourceKind, Standing, TaskEngine

NO_SUCH_TASK = "There is no such task."


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/accounts/{account_id}/tasks", responses=reading(one=True))(list_tasks)
    app.get("/v1/tasks/{task_id}", responses=reading(one=True))(get_task)
    app.get("/v1/tasks/{task_id}/entities", responses=reading(one=True))(list_entities)
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


class EntityOut(BaseModel):
    """One mailbox, site, drive or folder of a task."""

    id: int = Field(description="The entity's number.")
    key: str = Field(description="Its name at the engine.")
    name: str = Field(description="Its name for people.")
    kind: str = Field(description="What it is.")
    standing: Standing = Field(description="How it stands in its task.")
    billed: bool = Field(description="Whether it counts for the bill.")
    licensed: bool | None = Field(description="Whether it has a licence at the source; null where unknown.")
    size_bytes: int = Field(description="Bytes of its data.")
    outcome: Outcome | None = Field(description="How its last attempt ended; null before the first.")
    error: str = Field(description="What went wrong then, in words.")
    last_backup: datetime | None = Field(description="When it was last backed up.")
    last_attempt: datetime | None = Field(description="When that was last tried.")
    found: datetime = Field(description="When it was first seen.")


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
    return shown(await db.look(_get, actor, task_id))


def _get(session: Session, actor: Actor, task_id: int) -> BackupTask:
    actor.require(Permission.ACCOUNTS_ACCESS)
    found = repository.task_row(session, actor, task_id)
    if found is None:
        raise NotFound(NO_SUCH_TASK)
    return found


@requires(Permission.ACCOUNTS_ACCESS)
async def list_entities(task_id: Id, asked: Annotated[Asked, Query()], actor: Caller, turn: Turned) -> Page[EntityOut]:
    """List what a task holds, what was found first comes first."""
    rows = await db.look(_entities, actor, task_id, asked)
    return turn.page(rows, asked.limit, _entity, lambda entity: (entity.id,))


def _entities(session: Session, actor: Actor, task_id: int, asked: Asked) -> list[EntityRow]:
    _get(session, actor, task_id)
    after = asked.place()
    return entities.listed(session, actor, task_id, after[0] if after else 0, asked.limit + 1)


@requires(Permission.BACKUPS_RUN)
async def run_task(task_id: Id, actor: Caller) -> Started:
    """Back a task up now, if the portal makes its backups."""
    return Started(job=await db.work(engine.start, actor, task_id))


def _entity(row: EntityRow) -> EntityOut:
    return EntityOut(
        id=row.id,
        key=row.key,
        name=row.name,
        kind=row.kind,
        standing=row.standing,
        billed=row.billed,
        licensed=row.licensed,
        size_bytes=row.size_bytes,
        outcome=row.outcome,
        error=row.error,
        last_backup=row.last_backup_at,
        last_attempt=row.last_attempt_at,
        found=row.found_at,
    )


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

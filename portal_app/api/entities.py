"""What a backup task holds: GET /api/v1/tasks/{id}/entities."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.api.answers import Id, reading
from portal_app.api.pages import Asked, Page, Turned
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.entities import repository
from portal_app.backups.entities.rows import EntityRow, ShownState
from portal_app.backups.entities.service import NOT_FOUND
from portal_app.errors import NotFound
from portal_app.models import Standing


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/tasks/{task_id}/entities", responses=reading(one=True))(list_entities)


class EntitiesAsked(Asked):
    """Which entities."""

    standing: Standing | None = Field(None, description="Only those that stand so in the task.")
    state: ShownState | None = Field(None, description="Only those whose backups stand so.")


class EntityOut(BaseModel):
    """A mailbox, site, drive or folder of a task."""

    id: int = Field(description="The entity's number.")
    task_id: int = Field(description="The task's number.")
    key: str = Field(description="Its name at the engine.")
    name: str = Field(description="Its name for people.")
    kind: str = Field(description="Such as mailbox, site or drive.")
    standing: Standing = Field(description="How it stands in its task; waiting: somebody is to decide.")
    state: ShownState = Field(description="How its backups stand.")
    licensed: bool | None = Field(description="Whether it has a licence at the service; null where unknown.")
    billed: bool = Field(description="Whether it counts for the bill.")
    size_bytes: int = Field(description="Bytes of its data.")
    error: str = Field(description="What went wrong at the last attempt, in words.")
    last_backup: datetime | None = Field(description="When it was last backed up.")
    last_attempt: datetime | None = Field(description="When that was last tried.")
    found: datetime = Field(description="When it was first seen.")


@requires(Permission.ACCOUNTS_ACCESS)
async def list_entities(
    task_id: Id, asked: Annotated[EntitiesAsked, Query()], actor: Caller, turn: Turned
) -> Page[EntityOut]:
    """List what a backup task holds, and what waits to be added to it, in the order in which it was found."""
    rows = await db.look(_read, actor, task_id, asked)
    return turn.page(rows, asked.limit, _shown, lambda entity: (entity.id,))


def _read(session: Session, actor: Actor, task_id: int, asked: EntitiesAsked) -> Any:
    actor.require(Permission.ACCOUNTS_ACCESS)
    if repository.find_task(session, actor, task_id) is None:
        raise NotFound(NOT_FOUND)
    after = asked.place()
    wanted = {"standing": asked.standing, "state": asked.state}
    return repository.listed(session, actor, task_id, after[0] if after else 0, asked.limit + 1, **wanted)


def _shown(row: EntityRow) -> EntityOut:
    return EntityOut(
        id=row.id,
        task_id=row.task_id,
        key=row.key,
        name=row.name,
        kind=row.kind,
        standing=row.standing,
        state=row.state,
        licensed=row.licensed,
        billed=row.billed,
        size_bytes=row.size_bytes,
        error=row.error,
        last_backup=row.last_backup_at,
        last_attempt=row.last_attempt_at,
        found=row.found_at,
    )

"""GET /api/v1/audit: the security audit."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.api.answers import reading
from portal_app.api.pages import Asked, Page, Turned, instant, instant_of
from portal_app.api.policy import Caller, requires
from portal_app.audit import reading as audit
from portal_app.audit.query import AuditQuery, Mark
from portal_app.audit.rows import AuditRow
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.errors import Invalid


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    app.get("/v1/audit", responses=reading())(list_audit)


class AuditStatus(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"


class AuditAsked(Asked):
    """Which rows. The days are the partner's own, both inclusive."""

    since: date | None = Field(None, description="From this day on.")
    until: date | None = Field(None, description="Up to this day.")
    activity: Activity | None = Field(None, description="Only what happened like this.")
    status: AuditStatus | None = Field(None, description="Only what was done, or only what was refused.")
    account: str = Field("", max_length=254, description="Only of accounts whose name or email address holds this.")
    user: str = Field("", max_length=254, description="Only of people whose address holds this.")


class AuditOut(BaseModel):
    """Who did what."""

    number: int = Field(description="Counts the rows from 1 without a gap.")
    at: datetime = Field(description="When it was.")
    activity: str = Field(description="What happened.")
    completed: bool = Field(description="False: it was refused or failed.")
    account_id: int | None = Field(description="The account concerned, if it concerned one.")
    account_name: str = Field(description="The account's name as it was.")
    performed_by: str = Field(description="Who did it.")
    description: str = Field(description="What it was in words.")
    address: str = Field(description="The address it was done from.")
    browser: str = Field(description="The browser it was done with.")


@requires(Permission.AUDIT_VIEW)
async def list_audit(asked: Annotated[AuditAsked, Query()], actor: Caller, turn: Turned) -> Page[AuditOut]:
    """List the security audit, the newest first."""
    rows = await db.look(_read, actor, asked)
    return turn.page(rows, asked.limit, _shown, lambda row: (instant(row.made_at), row.number))


def _read(session: Session, actor: Actor, asked: AuditAsked) -> list[AuditRow]:
    values = {
        "from": asked.since.isoformat() if asked.since else "",
        "to": asked.until.isoformat() if asked.until else "",
        "activity": asked.activity or "",
        "status": asked.status or "",
        "account": asked.account,
        "user": asked.user,
    }
    place = asked.place(2)
    before = Mark(instant_of(place[0]), place[1]) if place else None
    query = AuditQuery.from_address(values)
    rows, note = audit.part(session, actor, query, before, asked.limit + 1)
    if note:
        raise Invalid(note)
    return rows


def _shown(row: AuditRow) -> AuditOut:
    return AuditOut(
        number=row.number,
        at=row.made_at,
        activity=row.activity,
        completed=row.completed,
        account_id=row.account_id,
        account_name=row.account_name,
        performed_by=row.performed_by,
        description=row.description,
        address=row.address,
        browser=row.browser,
    )

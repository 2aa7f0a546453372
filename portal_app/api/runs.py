"""Backup runs: POST /api/v1/backup-runs, what engines report; GET /api/v1/runs, what is known of them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from portal_app import db
from portal_app.accounts import service as accounts
from portal_app.api import repository
from portal_app.api.answers import Answers, reading, refusal, writing
from portal_app.api.pages import Asked, Page, Turned, instant, instant_of
from portal_app.api.policy import Caller, requires
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.backups.intake import Moment, RunReport
from portal_app.backups.rows import RecordedRun
from portal_app.backups.service import record_run
from portal_app.errors import NotFound
from portal_app.models import BackupRun, Outcome


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    told = "The run is recorded."
    app.post("/v1/backup-runs", status_code=201, responses=writing() | _AGAIN, response_description=told)(report_run)
    app.get("/v1/runs", responses=reading(one=True))(list_runs)


class Recorded(BaseModel):
    """The run as the portal keeps it."""

    id: int = Field(description="The portal's number of the run.")
    account_id: int = Field(description="The account's number.")
    task_id: int = Field(description="The portal's number of the task.")
    run: str = Field(description="The engine's id of the run.")
    outcome: Outcome = Field(description="How the run ended.")
    finished: datetime = Field(description="When the run ended, in UTC.")
    received: datetime = Field(description="When the portal first heard of it, in UTC.")


_AGAIN: Answers = {
    200: {"model": Recorded, "description": "The same report had been recorded before; nothing changed."},
    404: refusal("There is no such account."),
    409: refusal("The run id was reported before with other content."),
    413: refusal("The body is larger than 4 MB."),
}


class RunAsked(Asked):
    """Which runs."""

    account_id: int | None = Field(None, ge=1, le=2**53 - 1, description="Only those of this account.")
    task_id: int | None = Field(None, ge=1, le=2**53 - 1, description="Only those of this task.")
    since: Moment | None = Field(None, description="Only those that the portal heard of at or after this instant.")


class RunOut(BaseModel):
    """One run of a backup task."""

    id: int = Field(description="The portal's number of the run.")
    account_id: int = Field(description="The account's number.")
    task_id: int = Field(description="The task's number.")
    run: str = Field(description="The engine's id of the run.")
    outcome: Outcome = Field(description="How it ended.")
    started: datetime = Field(description="When it began.")
    finished: datetime = Field(description="When it ended.")
    received: datetime = Field(description="When the portal first heard of it.")
    added_bytes: int = Field(description="Bytes that it added to the storage.")
    size_bytes: int = Field(description="Bytes of the task's data after it.")
    entities: int = Field(description="How many entities it saw.")
    entities_failed: int = Field(description="How many of them could not be backed up.")
    message: str = Field(description="A sentence for people.")


@requires(Permission.BACKUPS_RUN)
async def report_run(report: Annotated[RunReport, Body()], actor: Caller, response: Response) -> Recorded:
    """Report a finished run of a backup task.

    Send the same report as often as you like: a run counts once, by its `run` id within its task.
    Reports may come in any order; an older one never overwrites what a newer one said.
    """
    done = await db.work(record_run, actor, report)
    response.status_code = 201 if done.created else 200
    return _answer(done)


@requires(Permission.ACCOUNTS_ACCESS)
async def list_runs(asked: Annotated[RunAsked, Query()], actor: Caller, turn: Turned) -> Page[RunOut]:
    """List the runs of all accounts, of one account or of one task; what the portal heard of last comes first."""
    rows = await db.look(_read, actor, asked)
    return turn.page(rows, asked.limit, _shown, lambda run: (instant(run.received_at), run.id))


def _read(session: Session, actor: Actor, asked: RunAsked) -> Any:
    actor.require(Permission.ACCOUNTS_ACCESS)
    if asked.account_id is not None:
        accounts.get(session, actor, asked.account_id)
    if asked.task_id is not None and repository.task_row(session, actor, asked.task_id) is None:
        raise NotFound("There is no such task.")
    place = asked.place(2)
    before = (instant_of(place[0]), place[1]) if place else None
    return repository.run_rows(
        session,
        actor,
        account_id=asked.account_id,
        task_id=asked.task_id,
        since=asked.since,
        before=before,
        limit=asked.limit + 1,
    )


def _shown(run: BackupRun) -> RunOut:
    return RunOut(
        id=run.id or 0,
        account_id=run.account_id,
        task_id=run.task_id,
        run=run.run_key,
        outcome=run.outcome,
        started=run.started_at,
        finished=run.finished_at,
        received=run.received_at,
        added_bytes=run.added_bytes,
        size_bytes=run.size_bytes,
        entities=run.entities,
        entities_failed=run.entities_failed,
        message=run.message,
    )


def _answer(done: RecordedRun) -> Recorded:
    return Recorded(
        id=done.id,
        account_id=done.account_id,
        task_id=done.task_id,
        run=done.run,
        outcome=done.outcome,
        finished=done.finished_at,
        received=done.received_at,
    )

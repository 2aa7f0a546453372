"""POST /api/v1/backup-runs: what backup engines report."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Body, FastAPI, Response
from pydantic import BaseModel, Field

from portal_app import db
from portal_app.api.policy import Caller, requires
from portal_app.api.problems import MEDIA_TYPE, Problem
from portal_app.auth.permissions import Permission
from portal_app.backups.intake import RunReport
from portal_app.backups.rows import RecordedRun
from portal_app.backups.service import record_run
from portal_app.models import Outcome


def add_to(app: FastAPI) -> None:
    """Put the routes of this module into the app."""
    told = "The run is recorded."
    app.post("/v1/backup-runs", status_code=201, responses=_ANSWERS, response_description=told)(report_run)


class Recorded(BaseModel):
    """The run as the portal keeps it."""

    id: int = Field(description="The portal's number of the run.")
    account_id: int = Field(description="The account's number.")
    task_id: int = Field(description="The portal's number of the task.")
    run: str = Field(description="The engine's id of the run.")
    outcome: Outcome = Field(description="How the run ended.")
    finished: datetime = Field(description="When the run ended, in UTC.")
    received: datetime = Field(description="When the portal first heard of it, in UTC.")


def _refusal(says: str) -> dict[str, Any]:
    return {"model": Problem, "description": says, "content": {MEDIA_TYPE: {}}}


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Recorded, "description": "The same report had been recorded before; nothing changed."},
    400: _refusal("The body is not JSON."),
    401: _refusal("The token is missing, unknown, expired or revoked."),
    403: _refusal("The token may not do this."),
    404: _refusal("There is no such account."),
    409: _refusal("The run id was reported before with other content."),
    413: _refusal("The body is larger than 4 MB."),
    422: _refusal("A field can't be taken; `errors` names each."),
    429: _refusal("Too many requests; `Retry-After` says how many seconds to wait."),
    503: _refusal("The portal is busy; send the same report again later."),
}


@requires(Permission.BACKUPS_RUN)
async def report_run(report: Annotated[RunReport, Body()], actor: Caller, response: Response) -> Recorded:
    """Report a finished run of a backup task.

    Send the same report as often as you like: a run counts once, by its `run` id within its task.
    Reports may come in any order; an older one never overwrites what a newer one said.
    """
    done = await db.work(record_run, actor, report)
    response.status_code = 201 if done.created else 200
    return _answer(done)


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

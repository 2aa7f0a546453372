"""Tasks, jobs and what is done with them in words, ready for the pages."""

from typing import TypedDict

from portal_app.accounts.rows import BACKUP
from portal_app.backups.task_rows import ListedTask, OpenJob
from portal_app.models import JobState, TaskEngine
from portal_app.sizes import size_text
from portal_app.times import Moment, moment

OUTSIDE = Moment(text="Outside tool", exact="A tool outside the portal decides when it backs up")
PAUSED = Moment(text="Paused", exact="")


class TaskWords(TypedDict):
    """A line of the list."""

    id: int
    key: str
    name: str
    href: str
    service: str
    entities: str
    billed: str
    next: Moment
    last: Moment
    outcome: str
    outcome_kind: str
    size: str
    active: bool
    built_in: bool


class JobWords(TypedDict):
    """How far the work on a task is; `known` when there is a percentage."""

    id: int
    percent: int
    known: bool
    words: str
    stopping: bool


def task_words(row: ListedTask, account_id: int, time_zone: str) -> TaskWords:
    """The words of one task."""
    words, kind = BACKUP[row.last_outcome or "none"]
    return TaskWords(
        id=row.id,
        key=str(row.id),
        name=row.name,
        href=f"/accounts/{account_id}/tasks/{row.id}",
        service=row.service.label,
        entities=f"{row.entities:,}",
        billed=f"{row.billed_entities:,}",
        next=next_words(row, time_zone),
        last=moment(row.last_finished_at, time_zone),
        outcome=words,
        outcome_kind=kind,
        size=size_text(row.size_bytes),
        active=row.active,
        built_in=row.engine == TaskEngine.BUILT_IN,
    )


def next_words(row: ListedTask, time_zone: str) -> Moment:
    """When the task is backed up next, or why nobody here knows."""
    if not row.active:
        return PAUSED
    return OUTSIDE if row.engine == TaskEngine.REPORTED else moment(row.next_run_at, time_zone)


def job_words(job: OpenJob) -> JobWords:
    """The words of work in hand."""
    words = "Waiting for its turn" if job.state == JobState.WAITING else job.words or "Running"
    return JobWords(
        id=job.id,
        percent=job.percent or 0,
        known=job.percent is not None,
        words="Stopping" if job.stopping else words,
        stopping=job.stopping,
    )

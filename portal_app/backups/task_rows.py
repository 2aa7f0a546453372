"""All that pages may see of an account's tasks and of the work on them."""

from dataclasses import dataclass
from datetime import datetime

from portal_app.backups.rows import Service
from portal_app.models import JobState, Outcome, TaskEngine


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A task in the list. `next_run_at` is None for one that is paused, and where a tool outside decides."""

    id: int
    name: str
    service: Service
    engine: TaskEngine
    active: bool
    entities: int
    billed_entities: int
    size_bytes: int
    next_run_at: datetime | None
    last_outcome: Outcome | None
    last_finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenJob:
    """Work on a task that has not ended. `percent` is None while nobody knows."""

    id: int
    kind: str
    task_id: int
    state: JobState
    percent: int | None
    words: str
    size_bytes: int
    stopping: bool


@dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of tasks: how many match, how many there are."""

    rows: list[ListedTask]
    matching: int
    total: int

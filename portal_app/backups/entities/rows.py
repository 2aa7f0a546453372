"""What pages, engines and reports may see of entities."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal_app.models import Outcome, Standing

KEY_LENGTH = 300
NAME_LENGTH = 300
KIND_LENGTH = 40
ERROR_LENGTH = 500


class ShownState(StrEnum):
    """How an entity's backups stand (spec 7); derived from its row, its task and the task's job (see `shown`)."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    SCHEDULED = "scheduled"
    IN_PROCESS = "in_process"
    PAUSED = "paused"
    NOT_ACTIVE = "not_active"
    ARCHIVED = "archived"


class Decision(StrEnum):
    """What somebody may say of an entity."""

    ADD = "add"
    IGNORE = "ignore"
    ARCHIVE = "archive"
    REACTIVATE = "reactivate"


# Each state and standing: its words and its colour.
STATES = {
    ShownState.SUCCESS: ("Success", "green"),
    ShownState.PARTIAL: ("Partial", "orange"),
    ShownState.FAILED: ("Failed", "red"),
    ShownState.SCHEDULED: ("Scheduled", "grey"),
    ShownState.IN_PROCESS: ("In Process", "blue"),
    ShownState.PAUSED: ("Paused", "grey"),
    ShownState.NOT_ACTIVE: ("Not Active", "grey"),
    ShownState.ARCHIVED: ("Archived", "grey"),
}
STANDINGS = {
    Standing.ACTIVE: ("Active", "green"),
    Standing.INACTIVE: ("Inactive", "grey"),
    Standing.ARCHIVED: ("Archived", "grey"),
    Standing.WAITING: ("Waiting", "orange"),
    Standing.IGNORED: ("Ignored", "grey"),
}


@dataclass(frozen=True, slots=True)
class SeenEntity:
    """What an engine says of one entity. None says nothing: what was known stays.

    `outcome` is that of an attempt to back it up now; without one the entity was only seen.
    """

    key: str
    name: str = ""
    kind: str = ""
    size_bytes: int | None = None
    outcome: Outcome | None = None
    error: str = ""
    licensed: bool | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """What a listing brought: entities seen for the first time, of them those that wait; seen again, and gone.

    `capped` are those that wait because of the seat cap alone.
    """

    new: int = 0
    waiting: int = 0
    back: int = 0
    gone: int = 0
    capped: int = 0


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One entity. `licensed` is None where unknown; `billed` whether it counts for the bill."""

    id: int
    task_id: int
    key: str
    name: str
    kind: str
    standing: Standing
    state: ShownState
    licensed: bool | None
    billed: bool
    size_bytes: int
    outcome: Outcome | None
    error: str
    last_backup_at: datetime | None
    last_attempt_at: datetime | None
    found_at: datetime


@dataclass(frozen=True, slots=True)
class EntityPage:
    """A page of a task's entities: how many match, how many there are, and how many of each standing."""

    rows: list[EntityRow]
    matching: int
    total: int
    standings: Mapping[str, int]

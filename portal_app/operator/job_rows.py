"""All that an operator's page may see of jobs, and what a list of them is asked for. Payloads are never among it."""

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import ClassVar

from portal_app.models import JobState
from portal_app.paging import ListQuery, Matching

PATH = "/operator/jobs"
# Every kind that a worker takes (`jobs.handlers`), in the order of the filter.
KINDS = {
    "backup": "Backup",
    "restore": "Restore",
    "export": "Export",
    "forget": "Deletion of data",
    "usage report": "Usage report",
    "portal import": "Import from a portal",
}
# An import has steps of its own, which its page stops; what is to be deleted is always deleted.
STOPPABLE = frozenset({"backup", "restore", "export", "usage report"})
# Of a restore over what is there now nobody knows whether it is still wanted.
REPEATABLE = frozenset({"backup", "restore", "export", "forget", "usage report"})


# Whatever may be a partner's ID.
CODES = Matching(r"[A-Z0-9]{3,20}")


@dataclass(frozen=True, slots=True)
class JobQuery(ListQuery):
    """A question for jobs; the newest come first."""

    SORTS = ("id", "kind", "state", "finished")
    ORDER = "-id"
    FILTERS: ClassVar = {"kind": KINDS, "state": list(JobState), "partner": CODES}

    _: KW_ONLY
    kind: str = ""
    state: str = ""
    partner: str = ""
    sort: str = "id"
    descending: bool = True

    def address(self, **changes: object) -> str:
        return self.at(PATH, **changes)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job. `words` tell what it does or came to; the names are empty where there is no such thing."""

    id: int
    kind: str
    state: str
    partner: str
    account: str
    task: str
    percent: int
    words: str
    fault: str
    attempts: int
    made_by: str
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stopping: bool
    may_stop: bool
    may_repeat: bool
    has_log: bool


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs; how many match, and how many there are."""

    rows: list[JobRow]
    matching: int
    total: int

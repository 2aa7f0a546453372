"""What the list of an account's backup tasks is asked for. It is also the page's address."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from portal_app.paging import ListQuery


class View(StrEnum):
    """Which tasks are shown."""

    ACTIVE = "active"
    PAUSED = "paused"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    PARTIAL = "partial"
    FAILED = "failed"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery(ListQuery):
    """A question for the backup tasks of one account."""

    SORTS = ("service", "name", "entities", "billed", "next", "last", "size", "active")
    ORDER = "name"
    FILTERS: ClassVar = {"view": list(View)}

    account_id: int
    view: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(f"/accounts/{self.account_id}/backups", **changes)

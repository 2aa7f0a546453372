"""What a task's list of entities is asked for. It is also the page's address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.backups.entities.rows import ShownState
from portal_app.models import Standing
from portal_app.paging import ListQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityQuery(ListQuery):
    """A question for the entities of one task."""

    SORTS = ("name", "kind", "state", "licensed", "size", "backup", "attempt")
    ORDER = "name"
    FILTERS: ClassVar = {"state": list(ShownState), "standing": list(Standing)}

    account_id: int
    task_id: int
    state: str = ""
    standing: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(f"/accounts/{self.account_id}/tasks/{self.task_id}", **changes)

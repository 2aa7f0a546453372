"""What the lists of tickets are asked for. It is also their pages' address."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.models import TicketState, TicketTopic, TicketUrgency
from portal_app.paging import ListQuery

PATH = "/support/tickets"
QUEUE = "/operator/tickets"
LONGEST_CODE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketQuery(ListQuery):
    """A question for a partner's tickets."""

    SORTS = ("changed", "subject", "opened_by")
    ORDER = "-changed"
    FILTERS: ClassVar = {"state": list(TicketState), "topic": list(TicketTopic)}

    state: str = ""
    topic: str = ""
    sort: str = "changed"
    descending: bool = True

    def address(self, **changes: Any) -> str:
        return self.at(PATH, **changes)


class AnyCode:
    """Every partner ID there may be: those that there are, the database knows."""

    def __contains__(self, code: object) -> bool:
        return isinstance(code, str) and code.isalnum() and len(code) <= LONGEST_CODE

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueQuery(ListQuery):
    """A question for the operators' queue: tickets of all partners, what waits longest first."""

    SORTS = ("queue", "changed", "subject")
    ORDER = "queue"
    FILTERS: ClassVar = {
        "state": list(TicketState),
        "topic": list(TicketTopic),
        "urgency": list(TicketUrgency),
        "assigned": ("me", "nobody"),
        "partner": AnyCode(),
    }

    state: str = ""
    topic: str = ""
    urgency: str = ""
    assigned: str = ""
    partner: str = ""
    sort: str = ORDER

    def address(self, **changes: Any) -> str:
        return self.at(QUEUE, **changes)

"""What a list of bills is asked for. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from portal_app.models import BillingStatus
from portal_app.paging import ListQuery

STATUSES = (BillingStatus.DUE, BillingStatus.OVERDUE)


class BillList(StrEnum):
    """The two lists of bills by their addresses."""

    HISTORY = "/billing/history"
    UNPAID = "/billing/unpaid"


@dataclass(frozen=True, slots=True)
class BillQuery(ListQuery):
    """A question for bills. `status` asks for one of STATUSES; the newest come first."""

    SORTS = ("number", "name", "status", "issued", "due", "amount")
    ORDER = "-issued"
    FILTERS: ClassVar = {"status": STATUSES}

    list: BillList
    _: KW_ONLY
    status: str = ""
    sort: str = "issued"
    descending: bool = True

    @classmethod
    def of(cls, which: BillList, values: Mapping[str, Any]) -> "BillQuery":
        """The query of the list's address. In History nothing is due."""
        known = {key: value for key, value in values.items() if key != "status" or which == BillList.UNPAID}
        return cls.from_address(known, list=which)

    def address(self, **changes: Any) -> str:
        return self.at(self.list, **changes)

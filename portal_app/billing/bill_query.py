"""What a list of bills is asked for: search, status, order, page. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from portal_app.models import BillingStatus
from portal_app.paging import PAGE_SIZES, page_number, page_size

SORTS = ("number", "name", "status", "issued", "due", "amount")
STATUSES = (BillingStatus.DUE, BillingStatus.OVERDUE)
LONGEST_SEARCH = 120
# The newest first.
_ORDER = "-issued"


class BillList(StrEnum):
    """The two lists of bills by their addresses."""

    HISTORY = "/billing/history"
    UNPAID = "/billing/unpaid"


@dataclass(frozen=True, slots=True)
class BillQuery:
    """A question for bills; empty text asks for all. `status` asks for one of STATUSES."""

    list: BillList
    search: str = ""
    status: str = ""
    sort: str = "issued"
    descending: bool = True
    page: int = 1
    size: int = PAGE_SIZES[0]

    @classmethod
    def from_address(cls, of: BillList, values: Mapping[str, Any]) -> "BillQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value if isinstance(value, str) else "" for key, value in values.items()}
        order = texts.get("sort", "")
        order = order if order.removeprefix("-") in SORTS else _ORDER
        status = texts.get("status", "") if of == BillList.UNPAID else ""
        return cls(
            list=of,
            search=texts.get("search", "")[:LONGEST_SEARCH],
            status=status if status in STATUSES else "",
            sort=order.removeprefix("-"),
            descending=order.startswith("-"),
            page=page_number(texts.get("page", "")),
            size=page_size(texts.get("size", "")),
        )

    @property
    def filtered(self) -> bool:
        return bool(self.search.strip() or self.status)

    def address(self, **changes: Any) -> str:
        """The list's address for the query with these changes; a change other than of the page goes to page 1."""
        asked = replace(self, page=changes.pop("page", 1), **changes)._parameters()
        return f"{self.list}?{urlencode(asked)}" if asked else str(self.list)

    def _parameters(self) -> dict[str, str]:
        order = ("-" if self.descending else "") + self.sort
        values = {
            "search": self.search,
            "status": self.status,
            "sort": order if order != _ORDER else "",
            "page": str(self.page) if self.page > 1 else "",
            "size": str(self.size) if self.size != PAGE_SIZES[0] else "",
        }
        return {key: value for key, value in values.items() if value}

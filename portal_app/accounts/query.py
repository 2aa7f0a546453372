"""What a list of accounts is asked for: search, filters, order, page. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from portal_app.models import AccountStatus, BackupStatus, BillingStatus
from portal_app.paging import PAGE_SIZES, page_number, page_size

SORTS = ("name", "email", "status", "backup", "billing", "amount", "size")
BILLING_SORTS = frozenset({"billing", "amount"})
LONGEST_SEARCH = 120


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """A question for accounts; empty text asks for all."""

    search: str = ""
    status: str = ""
    backup: str = ""
    billing: str = ""
    sort: str = "name"
    descending: bool = False
    page: int = 1
    size: int = PAGE_SIZES[0]

    @classmethod
    def from_address(cls, values: Mapping[str, Any]) -> "AccountQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value if isinstance(value, str) else "" for key, value in values.items()}
        order = texts.get("sort", "")
        name = order.removeprefix("-")
        known = name in SORTS
        return cls(
            search=texts.get("search", "")[:LONGEST_SEARCH],
            status=_known(texts.get("status", ""), AccountStatus),
            backup=_known(texts.get("backup", ""), BackupStatus),
            billing=_known(texts.get("billing", ""), BillingStatus),
            sort=name if known else "name",
            descending=known and order.startswith("-"),
            page=page_number(texts.get("page", "")),
            size=page_size(texts.get("size", "")),
        )

    def without_billing(self) -> "AccountQuery":
        """The same for someone who may not see what is owed: neither filter nor order may tell."""
        sort = "name" if self.sort in BILLING_SORTS else self.sort
        return replace(self, billing="", sort=sort)

    @property
    def filtered(self) -> bool:
        return bool(self.search.strip() or self.status or self.backup or self.billing)

    def parameters(self) -> dict[str, str]:
        """The query as parameters of an address, defaults left out."""
        order = ("-" if self.descending else "") + self.sort
        values = {
            "search": self.search,
            "status": self.status,
            "backup": self.backup,
            "billing": self.billing,
            "sort": order if order != "name" else "",
            "page": str(self.page) if self.page > 1 else "",
            "size": str(self.size) if self.size != PAGE_SIZES[0] else "",
        }
        return {key: value for key, value in values.items() if value}

    def address(self, **changes: Any) -> str:
        """The dashboard's address for the query with these changes; a change other than of the page goes to page 1."""
        page = changes.pop("page", 1)
        return f"/?{urlencode(replace(self, page=page, **changes).parameters())}".removesuffix("?")


def _known(value: str, kind: type) -> str:
    return value if value in list(kind) else ""

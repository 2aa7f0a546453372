"""What a list of accounts is asked for. It is also the dashboard's address."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from portal_app.models import AccountStatus, BackupStatus, BillingStatus
from portal_app.paging import ListQuery

BILLING_SORTS = frozenset({"billing", "amount"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountQuery(ListQuery):
    """A question for accounts."""

    SORTS = ("name", "email", "status", "backup", "billing", "amount", "size")
    ORDER = "name"
    FILTERS: ClassVar = {
        "status": list(AccountStatus),
        "backup": list(BackupStatus),
        "billing": list(BillingStatus),
    }

    status: str = ""
    backup: str = ""
    billing: str = ""
    sort: str = ORDER

    def without_billing(self) -> Self:
        """The same for someone who may not see what is owed: neither filter nor order may tell."""
        return replace(self, billing="", sort=self.ORDER if self.sort in BILLING_SORTS else self.sort)

    def address(self, **changes: Any) -> str:
        """The dashboard's address for the query with these changes."""
        return self.at("/", **changes)

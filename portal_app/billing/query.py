"""What Billing > Status is asked for: accounts, as on the dashboard, but neither shown nor chosen by their backups."""

from dataclasses import dataclass
from typing import Any, ClassVar

from portal_app.accounts.query import AccountQuery
from portal_app.models import AccountStatus, BillingStatus

PATH = "/billing/status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusQuery(AccountQuery):
    """A question for accounts and what they owe."""

    SORTS = ("name", "email", "billing", "status", "amount")
    FILTERS: ClassVar = {"status": list(AccountStatus), "billing": list(BillingStatus)}

    def address(self, **changes: Any) -> str:
        return self.at(PATH, **changes)

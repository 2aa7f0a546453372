"""All that a page may see of accounts."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from portal_app.models import AccountStatus, BackupStatus, BillingStatus

Named = dict[str, tuple[str, str]]

# Each status: its words and its colour.
STATUS: Named = {
    AccountStatus.TRIAL_STARTED: ("Trial Started", "green"),
    AccountStatus.TRIAL_EXPIRING: ("Trial Expiring", "orange"),
    AccountStatus.TRIAL_EXPIRED: ("Trial Expired", "red"),
    AccountStatus.MONTHLY: ("Monthly Subscribed", "green"),
    AccountStatus.ANNUAL: ("Annual Subscribed", "green"),
}
BACKUP: Named = {
    BackupStatus.NONE: ("No Backups", "grey"),
    BackupStatus.SUCCESSFUL: ("Successful", "green"),
    BackupStatus.PARTIAL: ("Partially Failed", "orange"),
    BackupStatus.FAILED: ("Failed", "red"),
}
BILLING: Named = {
    BillingStatus.CURRENT: ("Current", "green"),
    BillingStatus.DUE: ("Due", "orange"),
    BillingStatus.OVERDUE: ("Overdue", "red"),
    BillingStatus.NONE: ("None", "grey"),
}


class AccountRow(NamedTuple):
    """One line of the accounts table. Amounts in minor units, sizes in bytes."""

    id: int
    name: str
    email: str
    status: str
    backup_status: str
    billing_status: str
    amount_minor: int
    size_bytes: int
    # Whether its partner may open it.
    partner_access: bool = True


@dataclass(frozen=True, slots=True)
class Total:
    """Accounts, amount and size that share a combination of statuses."""

    status: str
    backup_status: str
    billing_status: str
    accounts: int
    amount_minor: int
    size_bytes: int


class Totals(list[Total]):
    """Never changed once it is made: so what is worked out of it can be kept with it."""

    __hash__: Any = object.__hash__

    @cached_property
    def accounts(self) -> int:
        """How many accounts they count."""
        return sum(part.accounts for part in self)


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of accounts. `matching` is exact up to its cap; `more` says that there are more than it counted.

    `totals` are those of all the actor's accounts.
    """

    rows: list[AccountRow]
    matching: int
    more: bool
    totals: Totals

    @property
    def total(self) -> int:
        return self.totals.accounts


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """The head of a customer's account."""

    id: int
    partner_id: int
    name: str
    email: str
    status: str
    backup_status: str
    size_bytes: int
    place: str
    created_at: datetime
    trial_ends_at: datetime | None
    last_backup_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an act on several accounts went."""

    changed: int
    left: int

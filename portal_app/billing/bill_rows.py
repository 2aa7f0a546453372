"""All that a page may see of bills."""

from dataclasses import dataclass
from datetime import date

from portal_app.models import BillingStatus


@dataclass(frozen=True, slots=True)
class BillRow:
    """A bill as the actor may see it: `amount_minor` is their accounts' part of it, `whole` whether that is all of it.

    `open_minor` is what is still to be paid, of a bill that is whole. `account_name` is empty on a consolidated bill,
    and `account_id` None. `status` is one of BillingStatus: CURRENT once nothing is owed.
    """

    id: int
    number: int
    kind: str
    account_name: str
    account_id: int | None
    method: str
    plan: str
    status: str
    issued_on: date
    due_on: date
    amount_minor: int
    open_minor: int
    currency: str
    whole: bool

    @property
    def open(self) -> bool:
        return self.status != BillingStatus.CURRENT


@dataclass(frozen=True, slots=True)
class BillPage:
    """A page of bills; how many match, and how many the list has."""

    rows: list[BillRow]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What is open, in minor units and in bills. `refused`: bills whose card was refused; they are overdue too.

    `next_due` is the first due date of those that are due.
    """

    due_minor: int = 0
    overdue_minor: int = 0
    refused_minor: int = 0
    due: int = 0
    overdue: int = 0
    refused: int = 0
    invoices: int = 0
    next_due: date | None = None

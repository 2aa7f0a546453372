"""All that the page of an account's bills may see: the account's part of everything, never the whole of a bill."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from portal_app.billing.subscriptions import Standing
from portal_app.portal_import.rows import BillLine


@dataclass(frozen=True, slots=True)
class AccountBill:
    """A bill or credit note with the account's share of it, and what of an open one's share is settled already.

    `whole`: all of the bill is the actor's to see.
    """

    id: int
    number: int
    kind: str
    plan: str
    method: str
    state: str
    status: str
    issued_on: date
    due_on: date
    effective_on: date
    amount_minor: int
    settled_minor: int
    currency: str
    whole: bool


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line of a bill for the account. `trace` says by which usage, price and rule."""

    position: int
    service: str
    description: str
    starts_on: date
    ends_on: date
    quantity_milli: int
    unit: str
    unit_minor: int | None
    amount_minor: int
    currency: str
    trace: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid for the account so far: how many bills, their shares, and when the last one was paid."""

    bills: int
    amount_minor: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountBilling:
    """The page. `bill` is the one whose lines are shown; None where there is none yet."""

    id: int
    name: str
    email: str
    status: str
    billing_status: str
    amount_minor: int
    deleted_at: datetime | None
    subscription: Standing | None
    paid: Paid
    bills: list[AccountBill]
    bill: AccountBill | None
    lines: list[AccountLine]
    # Bills of an existing portal, kept to be read.
    imported: list[BillLine] = field(default_factory=list)

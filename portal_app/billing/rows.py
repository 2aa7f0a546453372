"""All that Billing > Status may see."""

from dataclasses import dataclass
from datetime import date

from portal_app.billing.plan import Forecast
from portal_app.geometry import BarChart


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """How an account's subscription goes on: when its period ends, and what becomes of it then."""

    renews_on: date
    next_plan: str | None
    ends: bool


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One account of the list. `status` and `billing_status` are its keys in `accounts.rows`."""

    id: int
    name: str
    email: str
    status: str
    billing_status: str
    amount_minor: int
    subscription: SubscriptionRow | None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """A page of accounts, and the sums of all that exist for the actor. `method` is empty until it is chosen.

    `priced`: whether there are prices in the partner's currency; nothing is billed as long as there are none.
    """

    rows: list[StatusRow]
    matching: int
    more: bool
    total: int
    due_minor: int
    method: str
    priced: bool


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next bills will be by account, and what was billed in the months before."""

    expected: dict[int, Forecast]
    billed: BarChart

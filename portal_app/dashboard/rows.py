"""All that the dashboard shows, ready for the page."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypedDict

from portal_app.accounts.rows import BACKUP, BILLING, STATUS, AccountRow, Total, Totals
from portal_app.models import TRIALS, BillingStatus
from portal_app.money import amount_text
from portal_app.sizes import size_text

NOTHING = "\u2013"
# Beneath the name of an account that an operator has taken from the partner.
CLOSED = "Only the customer can open it"


class Line(TypedDict):
    """A line of the accounts table: its statuses by their keys, the rest in words."""

    id: int
    name: str
    email: str
    status: str
    backup: str
    billing: str
    amount: str
    size: str
    trial: bool
    closed: bool


class FigureRow(TypedDict):
    """One figure of a widget."""

    count: int
    shown: str
    amount: str


Figures = dict[str, FigureRow]


@dataclass(frozen=True, slots=True)
class Widgets:
    """The figures of the three widgets by status."""

    status: Figures
    backup: Figures
    billing: Figures


def line(row: AccountRow, currency: str, show_billing: bool) -> Line:
    """One account; what is owed only for those who may see it."""
    owed = show_billing and (row.amount_minor or row.billing_status in (BillingStatus.DUE, BillingStatus.OVERDUE))
    return Line(
        id=row.id,
        name=row.name,
        email=row.email,
        status=row.status,
        backup=row.backup_status,
        billing=row.billing_status if show_billing else "",
        amount=amount_text(row.amount_minor, currency) if owed else NOTHING,
        size=size_text(row.size_bytes),
        trial=row.status in TRIALS and row.partner_access,
        closed=not row.partner_access,
    )


@lru_cache(256)
def widgets(totals: Totals, currency: str, show_billing: bool) -> Widgets:
    """Fold the combinations into the figures of each widget."""
    owing = (BillingStatus.DUE, BillingStatus.OVERDUE)
    return Widgets(
        status={key: _figure([t for t in totals if t.status == key]) for key in STATUS},
        backup={key: _figure([t for t in totals if t.backup_status == key]) for key in BACKUP},
        billing={
            key: _figure([t for t in totals if t.billing_status == key], currency if key in owing else "")
            for key in BILLING
        }
        if show_billing
        else {},
    )


def _figure(parts: list[Total], currency: str = "") -> FigureRow:
    count = sum(part.accounts for part in parts)
    owed = sum(part.amount_minor for part in parts)
    return FigureRow(count=count, shown=f"{count:,}", amount=amount_text(owed, currency) if currency else "")

"""Billing > Status in words, ready for its pages."""

from typing import TypedDict

from portal_app.billing.rows import StatusRow, SubscriptionRow
from portal_app.billing.subscriptions import Standing
from portal_app.billing.words import date_text
from portal_app.models import AccountStatus
from portal_app.money import amount_text

NOTHING = "\u2013"
PLANS = {AccountStatus.MONTHLY: "Monthly", AccountStatus.ANNUAL: "Annual"}


class Line(TypedDict):
    """A line of Billing > Status: its status by its key, the rest in words."""

    id: int
    name: str
    email: str
    billing: str
    plan: str
    renewal: str
    amount: str


def line(row: StatusRow, currency: str) -> Line:
    """One account in words."""
    return Line(
        id=row.id,
        name=row.name,
        email=row.email,
        billing=row.billing_status,
        plan=plan_words(row.status, row.subscription),
        renewal=renewal_words(row.subscription),
        amount=amount_text(row.amount_minor, currency) if row.amount_minor else NOTHING,
    )


def plan_words(status: str, subscription: SubscriptionRow | Standing | None) -> str:
    """Such as "Monthly", "Trial", or "Monthly, then Annual" where a change is asked for."""
    if status not in PLANS:
        return "Trial"
    after = subscription.next_plan if subscription else None
    return f"{PLANS[status]}, then {PLANS[after]}" if after else PLANS[status]


def renewal_words(subscription: SubscriptionRow | Standing | None) -> str:
    """The day on which the subscription renews, or ends."""
    if subscription is None:
        return NOTHING
    day = date_text(subscription.renews_on)
    return f"Ends {day}" if subscription.ends else day

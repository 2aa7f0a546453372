"""The banners above every page: what is owed, and where it is mended (spec 5.6)."""

from dataclasses import dataclass

from sqlmodel import Session

from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import bills
from portal_app.billing.bill_rows import Owed
from portal_app.billing.words import date_text
from portal_app.money import amount_text

UNPAID = "/billing/unpaid"
DETAILS = "/billing/payment-details"


@dataclass(frozen=True, slots=True)
class Banner:
    """A sentence and the link that leads to where it is mended; `kind` is its colour."""

    kind: str
    text: str
    action: str
    href: str


def banners_for(session: Session, actor: Actor) -> list[Banner]:
    """What the actor is to be reminded of, the worst first; nothing for who may not view billing."""
    if actor.partner_id is None or not actor.may(Permission.BILLING_VIEW):
        return []
    owed = bills.owed(session, actor)
    return [*_refused(owed, actor), *_overdue(owed, actor), *_due(owed, actor)]


def _refused(owed: Owed, actor: Actor) -> list[Banner]:
    if not owed.refused:
        return []
    what = _bills(owed.refused, owed.refused_minor, actor)
    mend = actor.may(Permission.PAYMENT_MANAGE)
    action, href = (
        ("Update Credit Card Details", DETAILS) if mend else ("View unpaid bills", f"{UNPAID}?status=overdue")
    )
    return [Banner("red", f"The credit card was refused for {what}.", action, href)]


def _overdue(owed: Owed, actor: Actor) -> list[Banner]:
    number = owed.overdue - owed.refused
    if not number:
        return []
    what = _bills(number, owed.overdue_minor - owed.refused_minor, actor)
    action = "Pay now" if actor.may(Permission.BILLS_PAY) else "View unpaid bills"
    return [Banner("red", f"{what} {'is' if number == 1 else 'are'} overdue.", action, f"{UNPAID}?status=overdue")]


def _due(owed: Owed, actor: Actor) -> list[Banner]:
    if not owed.due or owed.next_due is None:
        return []
    what, day = _bills(owed.due, owed.due_minor, actor), date_text(owed.next_due)
    told = f"{what} is due on {day}." if owed.due == 1 else f"{what} are due, the first on {day}."
    return [Banner("orange", told, "View unpaid bills", f"{UNPAID}?status=due")]


def _bills(number: int, minor: int, actor: Actor) -> str:
    """Such as "1 bill of €69.00" or "3 bills of €201.90 in all"."""
    amount = amount_text(minor, actor.currency)
    return f"1 bill of {amount}" if number == 1 else f"{number:,} bills of {amount} in all"

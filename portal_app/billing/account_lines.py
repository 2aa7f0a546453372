"""An account's bills in words, ready for their page."""

from datetime import timedelta
from typing import TypedDict

from portal_app.accounts.rows import BILLING
from portal_app.billing.account_rows import AccountBill, AccountBilling, AccountLine
from portal_app.billing.lines import NOTHING, plan_words, renewal_words
from portal_app.billing.plan import Forecast
from portal_app.billing.subscriptions import Standing
from portal_app.billing.words import date_text, open_words, quantity_text
from portal_app.facts import Fact
from portal_app.models import BillingMethod, BillKind, BillState
from portal_app.money import amount_text
from portal_app.times import moment

ONE_DAY = timedelta(days=1)
_STATES = {BillState.PAID: ("Paid", "green"), BillState.CREDITED: ("Credited", "grey")}


class BillWords(TypedDict):
    """One bill. `pdf` is empty where the user may not see the whole of it; `open` may be paid."""

    id: int
    number: str
    issued: str
    status: str
    status_kind: str
    due: str
    effective: str
    amount: str
    rest: str
    pdf: str
    open: bool
    by_card: bool


class LineWords(TypedDict):
    """One line of the bill that is shown."""

    position: int
    service: str
    period: str
    quantity: str
    price: str
    amount: str


def bill_words(bill: AccountBill) -> BillWords:
    """A bill in words; its amount is the account's share."""
    status, kind = _status(bill)
    return BillWords(
        id=bill.id,
        number=str(bill.number),
        issued=date_text(bill.issued_on),
        status=status,
        status_kind=kind,
        due=date_text(bill.due_on),
        effective=date_text(bill.effective_on),
        amount=amount_text(bill.amount_minor, bill.currency),
        rest=open_words(bill.amount_minor, bill.settled_minor, bill.currency),
        pdf=f"/billing/bills/{bill.number}.pdf" if bill.whole else "",
        open=bill.state == BillState.OPEN and bill.kind != BillKind.CREDIT_NOTE,
        by_card=bill.method == BillingMethod.CARD,
    )


def _status(bill: AccountBill) -> tuple[str, str]:
    if bill.kind == BillKind.CREDIT_NOTE:
        return "Credit note", "grey"
    return _STATES.get(BillState(bill.state)) or BILLING[bill.status]


def line_words(line: AccountLine) -> LineWords:
    """A bill's line in words."""
    return LineWords(
        position=line.position,
        service=line.description,
        period=f"{date_text(line.starts_on)} \u2013 {date_text(line.ends_on - ONE_DAY)}",
        quantity=quantity_text(line) or NOTHING,
        price=amount_text(line.unit_minor, line.currency) if line.unit_minor is not None else "Graduated",
        amount=amount_text(line.amount_minor, line.currency),
    )


def facts(found: AccountBilling, currency: str, time_zone: str) -> list[Fact]:
    """What stands in the page's head."""
    paid = found.paid
    last = moment(paid.last_at, time_zone)
    count = f"{paid.bills:,} {'bill' if paid.bills == 1 else 'bills'}"
    return [
        Fact(label="Amount Due", text=amount_text(found.amount_minor, currency), exact=""),
        _plan(found, time_zone),
        Fact(label="Renewal Date", text=renewal_words(found.subscription), exact=""),
        Fact(
            label="Previous Payments",
            text=f"{amount_text(paid.amount_minor, currency)} for {count}, last {last['text']}"
            if paid.bills
            else NOTHING,
            exact=last["exact"],
        ),
        Fact(label="Seats", text=_seats(found.subscription), exact=""),
    ]


def forecast_words(expected: Forecast | None, currency: str) -> str:
    """Such as "€69.00 on 1 Dec 2026"."""
    return f"{amount_text(expected.amount_minor, currency)} on {date_text(expected.on)}" if expected else NOTHING


def _plan(found: AccountBilling, time_zone: str) -> Fact:
    if found.deleted_at is None:
        return Fact(label="Subscription", text=plan_words(found.status, found.subscription), exact="")
    gone = moment(found.deleted_at, time_zone)
    return Fact(label="Subscription", text=f"Account deleted {gone['text']}", exact=gone["exact"])


def _seats(standing: Standing | None) -> str:
    if standing is None:
        return NOTHING
    return f"{standing.seats:,} of {standing.seat_cap:,}" if standing.seat_cap else f"{standing.seats:,}"

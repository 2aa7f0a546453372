"""Bank transfers: an operator records what arrived, and what went back by transfer (spec 5.2)."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import orders, settling
from portal_app.billing.balance import balance_of, bill_by_number
from portal_app.billing.finance_rows import ReceiptPage, ReceiptRow
from portal_app.billing.operators import note
from portal_app.errors import Conflict, Invalid, PortalError
from portal_app.models import Bill, BillKind, BillState, Partner, Payment, PaymentKind
from portal_app.money import amount_text, minor_of
from portal_app.text import clean, has_control

MOST_NOTE = 200
OLDEST = timedelta(days=3660)
# The day on which the money moved, and the operator's note.
_Known = tuple[date, str]


@dataclass(frozen=True, slots=True)
class ReceiptForm:
    """A transfer as typed. `number` is the bill's reference number."""

    number: str
    amount: str
    received_on: str
    note: str = ""


def recorded(session: Session, actor: Actor, page: int = 1, size: int = 25) -> ReceiptPage:
    """A page of the transfers, those recorded last first. Raises Denied."""
    actor.require_provider()
    is_transfer = col(Payment.kind) == PaymentKind.BANK
    total = session.scalar(select(func.count()).select_from(Payment).where(is_transfer)) or 0
    found = session.execute(
        select(Payment, Bill.number, Partner.code, Bill.currency)
        .join(Bill, col(Bill.id) == col(Payment.bill_id))
        .join(Partner, col(Partner.id) == col(Payment.partner_id))
        .where(is_transfer)
        .order_by(col(Payment.id).desc())
        .offset((page - 1) * size)
        .limit(size)
    )
    rows = [
        ReceiptRow(p.id or 0, number, code, p.amount_minor, currency, p.received_on, p.note, p.created_at)
        for p, number, code, currency in found
    ]
    return ReceiptPage(rows, total)


def record_receipt(session: Session, actor: Actor, form: ReceiptForm) -> str:
    """Count a transfer as received for an open bill, the whole of it or a part; says what is open after it.

    Raises Denied, Conflict, Invalid by the form's fields. A customer who is just paying by card is not asked to stop:
    what then came twice is given back by the payment's own rules.
    """
    bill = _bill(session, actor, form.number)
    amount, known = _checked(form, bill)
    rest = bill.total_minor - bill.settled_minor
    if bill.state != BillState.OPEN or bill.kind == BillKind.CREDIT_NOTE:
        raise Invalid(number="This bill is not open: nothing is to be paid on it.")
    if amount > rest:
        raise Invalid(amount=f"Only {amount_text(rest, bill.currency)} of this bill is open.")
    _book(session, bill, PaymentKind.BANK, amount, known)
    settling.credit(session, bill, amount, clock.now())
    said = f"Invoice {bill.number}: {amount_text(amount, bill.currency)} received by bank transfer"
    note(session, actor, bill.partner_id, Activity.BILLING_DETAILS, said)
    left = bill.total_minor - bill.settled_minor
    return f"{said}. {f'{amount_text(left, bill.currency)} is still open.' if left else 'It is paid.'}"


def record_return(session: Session, actor: Actor, form: ReceiptForm) -> str:
    """Note that money of a bill went back by bank transfer, at most what is to be given back."""
    bill = _bill(session, actor, form.number)
    amount, known = _checked(form, bill)
    back = balance_of(session, bill).back if bill.kind != BillKind.CREDIT_NOTE else 0
    if orders.open_attempt_of(session, bill.id or 0):
        raise Conflict(orders.UNDER_WAY)
    if not back:
        raise Conflict("Nothing of this bill is to be given back.")
    if amount > back:
        raise Invalid(amount=f"Only {amount_text(back, bill.currency)} is to be given back.")
    _book(session, bill, PaymentKind.REFUND, -amount, known)
    said = f"Invoice {bill.number}: {amount_text(amount, bill.currency)} given back by bank transfer"
    note(session, actor, bill.partner_id, Activity.BILLING_DETAILS, said)
    return f"{said}."


def _bill(session: Session, actor: Actor, number: str) -> Bill:
    actor.require_provider()
    digits = clean(number).removeprefix("#")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise Invalid(number="Give the bill's reference number, such as 1042.")
    try:
        return bill_by_number(session, actor, int(digits), lock=True)
    except PortalError as fault:
        raise Invalid(number=fault.sentence) from None


def _checked(form: ReceiptForm, bill: Bill) -> tuple[int, _Known]:
    faults: dict[str, str] = {}
    amount, words = 0, clean(form.note)
    try:
        amount = minor_of(clean(form.amount), bill.currency)
        if amount <= 0:
            faults["amount"] = "Give an amount above 0."
    except Invalid as fault:
        faults["amount"] = fault.sentence
    day = _day(form.received_on)
    if day is None:
        faults["received_on"] = "Give the day on which the money moved; it can't lie ahead."
    if len(words) > MOST_NOTE or has_control(words):
        faults["note"] = f"Use at most {MOST_NOTE} characters, on one line."
    if faults or day is None:
        raise Invalid(**faults)
    return amount, (day, words)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(clean(text))
    except ValueError:
        return None
    # Somewhere it may be tomorrow already.
    today = clock.today()
    return day if today - OLDEST <= day <= today + timedelta(days=1) else None


def _book(session: Session, bill: Bill, kind: PaymentKind, amount: int, known: _Known) -> None:
    session.add(
        Payment(
            bill_id=bill.id or 0,
            partner_id=bill.partner_id,
            kind=kind,
            amount_minor=amount,
            received_on=known[0],
            note=known[1],
            created_at=clock.now(),
        )
    )
    session.flush()

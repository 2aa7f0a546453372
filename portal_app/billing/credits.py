"""Credit notes: a bill is never changed, what was wrong in it is taken back by a document of its own."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import mailing, numbers, settling
from portal_app.billing.balance import balance_of, bill_by_number
from portal_app.billing.operators import note
from portal_app.billing.pricing import shares
from portal_app.errors import Conflict, Invalid
from portal_app.models import Bill, BillKind, BillLine, BillShare, BillState, Partner, Payment, PaymentKind
from portal_app.money import amount_text, minor_of, rounded
from portal_app.text import clean, has_control

MOST_REASON = 120


@dataclass(frozen=True, slots=True)
class CreditForm:
    """What is typed: an amount with its tax, and why, for the document."""

    amount: str
    reason: str


def credit(session: Session, actor: Actor, number: int, form: CreditForm) -> int:
    """Make a credit note over a part of a bill, or over all that is left of it; its number.

    What of it is still open is settled by it; what was paid already is then to be given back. Raises Denied, NotFound,
    Conflict, Invalid (fields amount, reason).
    """
    bill = bill_by_number(session, actor, number, lock=True)
    if bill.kind == BillKind.CREDIT_NOTE:
        raise Conflict("A credit note can't be credited.")
    left = balance_of(session, bill).creditable
    if left <= 0:
        raise Conflict("This bill is credited in full already.")
    amount, reason = _checked(form, bill, left)
    made = _note(session, bill, amount, left, reason)
    _settle(session, bill, amount, whole=amount == left, made=made)
    said = f"Credit note {made.number} over {amount_text(amount, bill.currency)} for invoice {bill.number}: {reason}"
    note(session, actor, bill.partner_id, Activity.BILLING_DETAILS, said)
    mailing.announce(session, made.id or 0)
    return made.number


def _checked(form: CreditForm, bill: Bill, left: int) -> tuple[int, str]:
    faults: dict[str, str] = {}
    amount, reason = 0, clean(form.reason)
    try:
        amount = minor_of(clean(form.amount), bill.currency)
        if not 0 < amount <= left:
            faults["amount"] = f"Give an amount above 0 and at most {amount_text(left, bill.currency)}."
    except Invalid as fault:
        faults["amount"] = fault.sentence
    if not reason or len(reason) > MOST_REASON or has_control(reason):
        faults["reason"] = f"Say why, for the document, in at most {MOST_REASON} characters."
    if faults:
        raise Invalid(**faults)
    return amount, reason


def _note(session: Session, bill: Bill, amount: int, left: int, reason: str) -> Bill:
    now, zone = clock.now(), session.get_one(Partner, bill.partner_id).time_zone
    today = clock.day_in(zone, now)
    tax = _tax(session, bill, amount, left)
    number = numbers.take(session)[0]
    made = Bill(
        number=number,
        once=f"credit:{number}",
        partner_id=bill.partner_id,
        kind=BillKind.CREDIT_NOTE,
        account_id=bill.account_id,
        credits_id=bill.id,
        plan=bill.plan,
        method=bill.method,
        # Nothing is to be paid on it.
        state=BillState.PAID,
        issued_on=today,
        effective_on=bill.effective_on,
        due_on=today,
        currency=bill.currency,
        net_minor=tax - amount,
        tax_minor=-tax,
        total_minor=-amount,
        settled_minor=-amount,
        tax_bp=bill.tax_bp,
        reverse_charge=bill.reverse_charge,
        buyer=bill.buyer,
        seller=bill.seller,
        paid_at=now,
        created_at=now,
    )
    session.add(made)
    session.flush()
    _add_parts(session, bill, made, reason)
    return made


def _tax(session: Session, bill: Bill, amount: int, left: int) -> int:
    """The tax in the amount; the last credit takes what the earlier ones left, so that all of them make the bill."""
    if amount < left:
        return rounded(amount * bill.tax_minor, bill.total_minor)
    earlier = session.exec(select(Bill.tax_minor).where(col(Bill.credits_id) == bill.id)).all()
    return bill.tax_minor + sum(earlier)


def _add_parts(session: Session, bill: Bill, made: Bill, reason: str) -> None:
    """A line and a share for each account of the bill, by its part of it."""
    parts = session.exec(select(BillShare).where(col(BillShare.bill_id) == bill.id)).all()
    weights = {part.account_id: part.amount_minor for part in parts}
    totals, nets = shares(weights, -made.total_minor), shares(weights, -made.net_minor)
    spans = session.execute(select(BillLine.starts_on, BillLine.ends_on).where(col(BillLine.bill_id) == bill.id)).all()
    starts_on, ends_on = min(start for start, _ in spans), max(end for _, end in spans)
    for position, part in enumerate(parts, 1):
        net = -nets[part.account_id]
        session.add(BillShare(**part.model_dump() | {"bill_id": made.id, "amount_minor": -totals[part.account_id]}))
        session.add(
            BillLine(
                bill_id=made.id or 0,
                position=position,
                account_id=part.account_id,
                account_name=part.account_name,
                description=f"Credit for invoice {bill.number}: {reason}",
                starts_on=starts_on,
                ends_on=ends_on,
                unit_minor=net,
                amount_minor=net,
                trace={"rule": "credit", "credits": bill.number, "reason": reason},
            )
        )
    session.flush()


def _settle(session: Session, bill: Bill, amount: int, *, whole: bool, made: Bill) -> None:
    part = min(amount, bill.total_minor - bill.settled_minor)
    if part:
        session.add(
            Payment(
                bill_id=bill.id or 0,
                partner_id=bill.partner_id,
                kind=PaymentKind.CREDIT,
                amount_minor=part,
                received_on=made.issued_on,
                note=f"Credit note {made.number}",
                created_at=made.created_at,
            )
        )
        settling.credit(session, bill, part, made.created_at)
    if whole:
        bill.state = BillState.CREDITED
        session.add(bill)
        session.flush()

"""Money back: by the processor for what came by card or PayPal, or by a transfer that an operator made."""

from dataclasses import dataclass

from sqlmodel import Session, select

from portal_app import db
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor
from portal_app.billing import orders, payments, receipts
from portal_app.billing.balance import balance_of, bill_by_number
from portal_app.billing.finance_rows import BillDetails
from portal_app.billing.operators import note
from portal_app.billing.receipts import ReceiptForm
from portal_app.errors import Conflict, Invalid
from portal_app.models import AttemptState, BillKind, Payment, PaymentAttempt, PaymentKind
from portal_app.money import amount_text, minor_of
from portal_app.text import clean

BANK = "bank"
_BY_PROCESSOR = (PaymentKind.CARD, PaymentKind.PAYPAL)
_SAID = {
    AttemptState.SUCCEEDED: "was given back.",
    AttemptState.DECLINED: "could not be given back: the processor declined it.",
}


@dataclass(frozen=True, slots=True)
class RefundForm:
    """What is typed. `way` is the number of the payment to give back, or BANK for a transfer that was made."""

    way: str
    amount: str
    received_on: str = ""
    note: str = ""


def ways(found: BillDetails) -> list[tuple[str, str]]:
    """How money of the bill can go back, with the words for it."""
    paid = [one for one in found.payments if one.kind in _BY_PROCESSOR]
    names = {PaymentKind.CARD: "To the card", PaymentKind.PAYPAL: "To the PayPal account"}
    by_processor = [
        (str(one.id), f"{names[PaymentKind(one.kind)]} ({amount_text(one.amount_minor, found.currency)})")
        for one in paid
    ]
    return [*by_processor, (BANK, "By a bank transfer that was made")]


def refund(actor: Actor, number: int, form: RefundForm) -> str:
    """Give money of a bill back, at most what was received beyond what is left of it; says how it ended.

    Runs in a thread, outside any transaction: the processor is asked. Raises Denied, NotFound, Conflict, Invalid
    (fields way, amount, received_on, note).
    """
    actor.require_provider()
    if form.way == BANK:
        sent = ReceiptForm(str(number), form.amount, form.received_on, form.note)
        return db.write(receipts.record_return, actor, sent)
    key, words = db.write(_begin, actor, number, form)
    payments.refund(key)
    return f"{words} {_SAID.get(db.read(_state, key), 'is on its way back: the processor has not answered yet.')}"


def _begin(session: Session, actor: Actor, number: int, form: RefundForm) -> tuple[str, str]:
    """The attempt's key, and the amount in words. It is in the audit before the processor is asked.

    Under the bill's lock until it is written down: what goes back here goes back nowhere else.
    """
    bill = bill_by_number(session, actor, number, lock=True)
    payment = session.get(Payment, int(form.way)) if form.way.isascii() and form.way.isdecimal() else None
    if payment is None or payment.bill_id != bill.id or payment.kind not in _BY_PROCESSOR:
        raise Invalid(way="Choose how the money goes back.")
    back = balance_of(session, bill).back if bill.kind != BillKind.CREDIT_NOTE else 0
    if not back:
        raise Conflict("Nothing of this bill is to be given back. Make a credit note first.")
    most = min(back, payment.amount_minor)
    try:
        amount = minor_of(clean(form.amount), bill.currency)
    except Invalid as fault:
        raise Invalid(amount=fault.sentence) from None
    if not 0 < amount <= most:
        raise Invalid(amount=f"Give an amount above 0 and at most {amount_text(most, bill.currency)}.")
    words = amount_text(amount, bill.currency)
    said = f"Invoice {bill.number}: {words} to be given back"
    note(session, actor, bill.partner_id, Activity.BILLING_DETAILS, said)
    return orders.begin_refund(session, actor, payment.id or 0, amount), words


def _state(session: Session, key: str) -> str:
    return session.exec(select(PaymentAttempt.state).where(PaymentAttempt.key == key)).one()

"""Books what the processor answered: once, whoever brings the answer and in whatever order."""

from datetime import datetime

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.audit import service as audit
from portal_app.audit.tags import Activity
from portal_app.auth.actor import system
from portal_app.billing import dunning, orders, standing
from portal_app.billing.gateways.port import Answer, Outcome
from portal_app.models import (
    AttemptKind,
    AttemptState,
    Bill,
    BillState,
    Partner,
    Payment,
    PaymentAttempt,
    PaymentKind,
)
from portal_app.money import amount_text
from portal_app.webhooks.emitting import of_bills
from portal_app.webhooks.events import Event

_ENDED = {Outcome.DECLINED: AttemptState.DECLINED, Outcome.ENDED: AttemptState.CANCELED}


def settle(session: Session, key: str, answer: Answer, now: datetime | None = None) -> None:
    """Book the answer to an attempt. What has ended changes no more, unless money did come after all."""
    now = now or clock.now()
    bill_id = session.exec(select(PaymentAttempt.bill_id).where(col(PaymentAttempt.key) == key)).one()
    # The bill first, as everywhere: two who bring the same answer wait for each other here.
    bill = session.get_one(Bill, bill_id, with_for_update=True)
    mine = select(PaymentAttempt).where(col(PaymentAttempt.key) == key).with_for_update()
    attempt = session.exec(mine.execution_options(populate_existing=True)).one()
    if attempt.kind == AttemptKind.CHARGE:
        # Whenever its answer came: a day that is caught up with counts as itself.
        now = attempt.created_at
    is_open = attempt.state in {AttemptState.STARTED, AttemptState.UNKNOWN}
    if answer.outcome == Outcome.TAKEN and attempt.state != AttemptState.SUCCEEDED:
        _take(session, bill, attempt, answer, now)
    elif answer.outcome in _ENDED and is_open:
        _end(session, bill, attempt, answer, now)


def _take(session: Session, bill: Bill, attempt: PaymentAttempt, answer: Answer, now: datetime) -> None:
    attempt.state, attempt.page, attempt.reason, attempt.finished_at = AttemptState.SUCCEEDED, "", "", now
    if attempt.kind == AttemptKind.REFUND:
        _book(session, bill, attempt, kind=PaymentKind.REFUND, amount_minor=-attempt.amount_minor, now=now)
        _tell(session, bill, attempt, "given back")
        return
    attempt.reference = answer.reference or attempt.reference
    payment = _book(session, bill, attempt, kind=answer.kind, amount_minor=attempt.amount_minor, now=now)
    rest = bill.total_minor - bill.settled_minor if bill.state == BillState.OPEN else 0
    credit(session, bill, min(rest, attempt.amount_minor), now)
    _tell(session, bill, attempt, f"paid by {'PayPal' if answer.kind == PaymentKind.PAYPAL else 'card'}")
    dunning.send_receipt(session, bill, attempt)
    if attempt.amount_minor > rest:
        # It was settled in another way meanwhile: what came too much goes back, by the next look for open attempts.
        orders.begin_refund(session, system(bill.partner_id), payment.id or 0, attempt.amount_minor - rest)


def credit(session: Session, bill: Bill, amount_minor: int, now: datetime) -> None:
    """Count an amount as received for a locked bill; once all is there, the bill is paid."""
    bill.settled_minor += amount_minor
    if bill.state == BillState.OPEN and bill.settled_minor == bill.total_minor:
        bill.state, bill.paid_at, bill.next_charge_on, bill.charge_refused = BillState.PAID, now, None, False
        of_bills(session, Event.BILL_PAID, [bill])
    session.flush()
    standing.refresh_bill(session, bill.id or 0)


def _end(session: Session, bill: Bill, attempt: PaymentAttempt, answer: Answer, now: datetime) -> None:
    attempt.state, attempt.page, attempt.finished_at = _ENDED[answer.outcome], "", now
    attempt.reason = answer.reason[:200]
    session.flush()
    if answer.outcome == Outcome.DECLINED:
        _tell(session, bill, attempt, f"not {'given back' if attempt.kind == AttemptKind.REFUND else 'paid'}")
        if attempt.kind == AttemptKind.CHARGE and bill.state == BillState.OPEN:
            dunning.refuse(session, bill, attempt.reason, now)


def _book(
    session: Session, bill: Bill, attempt: PaymentAttempt, *, kind: PaymentKind, amount_minor: int, now: datetime
) -> Payment:
    zone = session.get_one(Partner, bill.partner_id).time_zone
    payment = Payment(
        bill_id=bill.id or 0,
        partner_id=bill.partner_id,
        kind=kind,
        amount_minor=amount_minor,
        received_on=clock.day_in(zone, now),
        attempt_id=attempt.id,
        created_at=now,
    )
    session.add(payment)
    session.flush()
    return payment


def _tell(session: Session, bill: Bill, attempt: PaymentAttempt, what: str) -> None:
    words = f"Invoice {bill.number}: {amount_text(attempt.amount_minor, attempt.currency)} {what}"
    text = f"{words}. {attempt.reason}".strip()
    completed = attempt.state == AttemptState.SUCCEEDED
    audit.record(session, system(bill.partner_id), Activity.BILLING_DETAILS, text, completed=completed)

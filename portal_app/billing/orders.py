"""Attempts as rows, and as orders for the processor: the same attempt always makes the same order."""

import secrets
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.auth.actor import Actor, ActorKind
from portal_app.billing.gateways.chosen import gateway_named
from portal_app.billing.gateways.port import Gateway, Order, Page
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import (
    AttemptKind,
    AttemptState,
    Bill,
    BillingProfile,
    BillState,
    Card,
    Payment,
    PaymentAttempt,
    PaymentKind,
)

# The processor sends the customer back there; it leads on to the result page.
RETURN = "/billing/return"
UNDER_WAY = "A payment or refund of this bill is under way."
_OPEN = (AttemptState.STARTED, AttemptState.UNKNOWN)


def begin(
    session: Session,
    bill: Bill,
    kind: AttemptKind,
    amount_minor: int,
    *,
    via: str,
    now: datetime,
    card_id: int | None = None,
    reference: str = "",
) -> PaymentAttempt:
    """Write down what is about to be asked for. The bill is locked by the caller and has no other open attempt."""
    attempt = PaymentAttempt(
        key=secrets.token_urlsafe(24),
        bill_id=bill.id or 0,
        partner_id=bill.partner_id,
        kind=kind,
        gateway=via,
        amount_minor=amount_minor,
        currency=bill.currency,
        card_id=card_id,
        reference=reference,
        created_at=now,
    )
    session.add(attempt)
    session.flush()
    return attempt


def begin_refund(session: Session, actor: Actor, payment_id: int, amount_minor: int) -> str:
    """Write down a refund of one payment; its key. For operators, and for the portal itself."""
    if actor.kind not in {ActorKind.OPERATOR, ActorKind.SYSTEM}:
        raise Denied("Only the provider gives money back.")
    payment = session.get(Payment, payment_id)
    if payment is None or payment.attempt_id is None or payment.kind not in {PaymentKind.CARD, PaymentKind.PAYPAL}:
        raise NotFound("There is no such payment by card or PayPal.")
    bill = session.get_one(Bill, payment.bill_id, with_for_update=True)
    if open_attempt_of(session, payment.bill_id):
        raise Conflict(UNDER_WAY)
    taken = session.get_one(PaymentAttempt, payment.attempt_id)
    if not 0 < amount_minor <= payment.amount_minor - _returned(session, taken):
        raise Invalid(amount="At most what the payment brought can be given back.")
    told = {"via": taken.gateway, "now": clock.now(), "reference": taken.reference}
    return begin(session, bill, AttemptKind.REFUND, amount_minor, **told).key


def order_of(session: Session, key: str) -> tuple[Gateway, Order]:
    """The attempt as the processor is told of it, and the way to that processor."""
    attempt = session.exec(select(PaymentAttempt).where(col(PaymentAttempt.key) == key)).one()
    bill = session.get_one(Bill, attempt.bill_id)
    profile = session.get(BillingProfile, attempt.partner_id)
    card = session.get(Card, attempt.card_id) if attempt.card_id else None
    return gateway_named(attempt.gateway), Order(
        key=key,
        kind=AttemptKind(attempt.kind),
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        description=f"Invoice {bill.number}",
        customer=profile.customer_ref if profile else "",
        token=card.token if card else "",
        reference=attempt.reference,
        return_url=f"{RETURN}/{key}",
        cancel_url="/billing/unpaid",
    )


def rest_of(bill: Bill) -> int:
    """What is still to be paid. Conflict when it is nothing."""
    rest = bill.total_minor - bill.settled_minor
    if bill.state != BillState.OPEN or rest <= 0:
        raise Conflict("This bill is paid already." if bill.state == BillState.PAID else "This bill is not to be paid.")
    return rest


def open_attempt_of(session: Session, bill_id: int) -> PaymentAttempt | None:
    """The bill's attempt whose outcome is not known yet."""
    mine = col(PaymentAttempt.bill_id) == bill_id, col(PaymentAttempt.state).in_(_OPEN)
    return session.exec(select(PaymentAttempt).where(*mine)).first()


def unfinished(session: Session, key: str) -> PaymentAttempt | None:
    """The attempt of this key, unless it has succeeded: what was declined or closed may have been paid after all."""
    mine = col(PaymentAttempt.key) == key, col(PaymentAttempt.state) != AttemptState.SUCCEEDED
    return session.exec(select(PaymentAttempt).where(*mine)).first()


def active_card(session: Session, partner_id: int) -> Card | None:
    """The card that is charged."""
    return session.exec(select(Card).where(col(Card.partner_id) == partner_id, col(Card.active))).first()


def keep_page(session: Session, key: str, page: Page) -> None:
    """Remember the hosted page, unless somebody has paid on it already."""
    attempt = session.exec(select(PaymentAttempt).where(col(PaymentAttempt.key) == key).with_for_update()).one()
    if attempt.state in _OPEN:
        attempt.page, attempt.reference = page.url, attempt.reference or page.reference


def mark_unknown(session: Session, key: str) -> None:
    """The answer was lost."""
    attempt = session.exec(select(PaymentAttempt).where(col(PaymentAttempt.key) == key).with_for_update()).one()
    if attempt.state == AttemptState.STARTED and attempt.kind != AttemptKind.CHECKOUT:
        attempt.state = AttemptState.UNKNOWN


def _returned(session: Session, taken: PaymentAttempt) -> int:
    refunds = select(func.coalesce(func.sum(col(PaymentAttempt.amount_minor)), 0)).where(
        col(PaymentAttempt.bill_id) == taken.bill_id,
        col(PaymentAttempt.kind) == AttemptKind.REFUND,
        col(PaymentAttempt.reference) == taken.reference,
        col(PaymentAttempt.state) == AttemptState.SUCCEEDED,
    )
    return session.exec(refunds).one()

"""Taking money for bills, once. Each step is a short transaction of its own, and the network lies between them.

An attempt is committed with its idempotency key before the processor is asked. Whatever is lost afterwards, the same
order with the same key is looked up, or sent again, until there is an answer; until then the bill takes no other.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import dunning, orders, settling
from portal_app.billing.access import whole_bill
from portal_app.billing.gateways.chosen import gateway
from portal_app.billing.gateways.port import Answer, Gateway, Order, Outcome, Refused, Silent
from portal_app.errors import Conflict, NotFound
from portal_app.models import AttemptKind, AttemptState, Bill, BillState, Partner, PaymentAttempt
from portal_app.money import amount_text

T = TypeVar("T")
settle = settling.settle
# The page that says how a payment went, asked with ?attempt=KEY.
RESULT = "/billing/result"
# Hosted pages live for 24 hours; one that is nearly over is not given out again.
PAGE_LIFE = timedelta(hours=23)
# Whoever asked has died, or will find the answer itself within this time.
PATIENCE = timedelta(minutes=2)
# So long a customer may be on the hosted page, and is looked after in case the processor's message gets lost.
WATCHED = timedelta(hours=1)
AT_ONCE = 200
_OPEN = (AttemptState.STARTED, AttemptState.UNKNOWN)
_UNREACHABLE = "The payment processor can't be reached just now. Nothing was taken. Please try again in a few minutes."
_UNDER_WAY = "A payment of this bill is under way. Please wait for its outcome before you pay again."

log = logging.getLogger("portal.payments")


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt went. `reason` is a sentence, for a declined one."""

    state: AttemptState
    bill_id: int
    bill_number: int
    amount: str
    reason: str = ""


def start_checkout(actor: Actor, bill_id: int) -> str:
    """The address of the hosted page where the bill is paid; the same for every click until it is used.

    Runs in a thread, outside any transaction. NotFound, Denied; Conflict when it is paid, being charged, or the
    processor doesn't answer.
    """
    for _ in range(3):
        key, page, is_good = db.write(_begin_checkout, actor, bill_id)
        via, order = db.read(orders.order_of, key)
        if is_good and not page:
            return _open_page(via, order)
        if is_good and _is_open(via, order):
            return page
        if not is_good:
            _ask(via.close, order)
    raise Conflict(_UNDER_WAY)


def result_of(session: Session, actor: Actor, key: str) -> Result:
    """How the attempt of this key stands. NotFound for a stranger's and an unknown one alike."""
    attempt = session.exec(select(PaymentAttempt).where(col(PaymentAttempt.key) == key)).first()
    if attempt is None:
        raise NotFound("There is no such payment.")
    bill = whole_bill(session, actor, col(Bill.id) == attempt.bill_id)
    amount = amount_text(attempt.amount_minor, attempt.currency)
    return Result(AttemptState(attempt.state), attempt.bill_id, bill.number, amount, attempt.reason)


def charge_due(now: datetime, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Charge the stored cards for all bills whose day it is in their partner's zone; how many were tried."""
    return sum(_each(lambda bill_id: charge(bill_id, now), db.read(_due, now), keep_on))


def charge(bill_id: int, now: datetime) -> bool:
    """Charge the partner's card for one bill, if it is due and nothing else is under way; whether it was tried."""
    if closing := db.read(_open_page_of, bill_id):
        # Nobody pays twice: the customer's page is closed before the card is charged.
        via, order = db.read(orders.order_of, closing)
        _ask(via.close, order)
    key = db.write(_begin_charge, bill_id, now)
    if key is None:
        return False
    via, order = db.read(orders.order_of, key)
    _ask(via.charge, order, now)
    return True


def refund(key: str) -> None:
    """Give back what `orders.begin_refund` wrote down under the key; the outcome is booked."""
    via, order = db.read(orders.order_of, key)
    _ask(via.refund, order)


def look_up_unknown(now: datetime, keep_on: Callable[[], bool] = lambda: True) -> int:
    """Ask for the outcome of everything whose answer is missing; how many were asked for."""
    return len(list(_each(lambda key: look_up(key, now), db.read(_missing, now), keep_on)))


def look_up(key: str, now: datetime | None = None) -> bool:
    """Ask the processor how an attempt stands, and book it. False when it doesn't answer."""
    now = now or clock.now()
    attempt = db.read(orders.unfinished, key)
    if attempt is None:
        return True
    try:
        via, order = db.read(orders.order_of, key)
    except Silent:
        # A gateway of earlier settings, which this portal has no more.
        return False
    if attempt.kind == AttemptKind.CHECKOUT and attempt.created_at <= now - PAGE_LIFE:
        return _ask(via.close, order, now)
    return _ask(lambda one: via.find(one) or _again(via, one, attempt.kind), order, now)


def _again(via: Gateway, order: Order, kind: str) -> Answer:
    """What never arrived is sent again under its old key: if it is only late, it still counts once."""
    if kind == AttemptKind.CHECKOUT:
        return Answer(Outcome.OPEN)
    if kind == AttemptKind.REFUND:
        return via.refund(order)
    return via.charge(order) if order.token else Answer(Outcome.ENDED)


def _begin_checkout(session: Session, actor: Actor, bill_id: int) -> tuple[str, str, bool]:
    """The attempt's key, its page if there is one already, and whether it still fits the bill."""
    actor.require(Permission.BILLS_PAY)
    whole_bill(session, actor, col(Bill.id) == bill_id)
    bill = session.get_one(Bill, bill_id, with_for_update=True, populate_existing=True)
    rest = orders.rest_of(bill)
    found = orders.open_attempt_of(session, bill_id)
    if found is None:
        made = orders.begin(session, bill, AttemptKind.CHECKOUT, rest, via=gateway().name, now=clock.now())
        return made.key, "", True
    if found.kind != AttemptKind.CHECKOUT:
        raise Conflict(_UNDER_WAY)
    fits = found.amount_minor == rest and found.created_at > clock.now() - PAGE_LIFE
    return found.key, found.page, fits


def _open_page(via: Gateway, order: Order) -> str:
    try:
        page = via.checkout(order)
    except Silent as fault:
        log.warning("no hosted page: %s", fault)
        raise Conflict(_UNREACHABLE) from None
    except Refused as refusal:
        db.write(settle, order.key, Answer(Outcome.ENDED, reason=refusal.reason))
        raise Conflict(f"The payment processor doesn't take this payment. {refusal.reason}".strip()) from None
    db.write(orders.keep_page, order.key, page)
    return page.url


def _is_open(via: Gateway, order: Order) -> bool:
    """Whether the page can still be used; what has happened on it is booked."""
    try:
        answer = via.find(order)
    except (Silent, Refused):
        raise Conflict(_UNREACHABLE) from None
    if answer is None or answer.outcome == Outcome.OPEN:
        return True
    db.write(settle, order.key, answer)
    return False


def _ask(do: Callable[[Order], Answer], order: Order, now: datetime | None = None) -> bool:
    """Ask, and book the answer; without one, the attempt's outcome is unknown. Whether there was one."""
    try:
        answer = do(order)
    except Silent as fault:
        log.warning("the processor did not answer for an attempt: %s", fault)
        db.write(orders.mark_unknown, order.key)
        return False
    except Refused as refusal:
        answer = Answer(Outcome.DECLINED, reason=refusal.reason)
    db.write(settle, order.key, answer, now)
    return True


def _each(do: Callable[[T], bool], items: Iterable[T], keep_on: Callable[[], bool]) -> Iterator[bool]:
    """Do it for each. What goes wrong with one must not keep the others waiting; it comes again by itself."""
    for item in items:
        if not keep_on():
            return
        try:
            yield do(item)
        except Exception as fault:
            log.error("collecting met %s at %s", type(fault).__name__, _place_of(fault))


def _place_of(fault: Exception) -> str:
    # Not the fault's own words: a database's may hold names and addresses.
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _due(session: Session, now: datetime) -> list[int]:
    # The latest zone is 14 hours ahead; whether it is the partner's day already, each bill's own step decides.
    latest = (now + timedelta(hours=14)).date()
    due = select(Bill.id).where(
        col(Bill.next_charge_on) <= latest, col(Bill.state) == BillState.OPEN, col(Bill.next_charge_on).is_not(None)
    )
    return [bill_id for bill_id in session.exec(due.order_by(col(Bill.next_charge_on), col(Bill.id))) if bill_id]


def _begin_charge(session: Session, bill_id: int, now: datetime) -> str | None:
    bill = session.exec(select(Bill).where(col(Bill.id) == bill_id).with_for_update()).one()
    zone = session.get_one(Partner, bill.partner_id).time_zone
    is_due = bill.next_charge_on is not None and bill.next_charge_on <= clock.day_in(zone, now)
    if bill.state != BillState.OPEN or not is_due or orders.open_attempt_of(session, bill_id):
        return None
    card = orders.active_card(session, bill.partner_id)
    if card is None:
        dunning.refuse(session, bill, "There is no card to charge.", now)
        return None
    rest = orders.rest_of(bill)
    return orders.begin(session, bill, AttemptKind.CHARGE, rest, via=card.gateway, now=now, card_id=card.id).key


def _open_page_of(session: Session, bill_id: int) -> str | None:
    found = orders.open_attempt_of(session, bill_id)
    return found.key if found and found.kind == AttemptKind.CHECKOUT else None


def _missing(session: Session, now: datetime) -> list[str]:
    attempt, made = PaymentAttempt, col(PaymentAttempt.created_at)
    page = col(attempt.kind) == AttemptKind.CHECKOUT
    watched = and_(page, made <= now - PATIENCE, made > now - WATCHED)
    lost = and_(~page, or_(col(attempt.state) == AttemptState.UNKNOWN, made <= now - PATIENCE))
    query = select(attempt.key).where(
        col(attempt.state).in_(_OPEN), or_(lost, watched, page & (made <= now - PAGE_LIFE))
    )
    return list(session.exec(query.order_by(made).limit(AT_ONCE)))

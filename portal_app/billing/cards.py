"""Stored cards: the number is typed at the processor; here is its token, and what people recognise it by."""

import logging
from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import Session, col, select

from portal_app import clock, db
from portal_app.audit import service as audit
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, system
from portal_app.auth.permissions import Permission
from portal_app.billing.gateways.chosen import gateway, gateway_named
from portal_app.billing.gateways.port import Refused, Silent, StoredCard
from portal_app.billing.profiles import profile_to_change
from portal_app.errors import Conflict, NotFound
from portal_app.models import Bill, BillState, Card, Partner

# The processor sends the customer back there; it leads on to Payment Details.
RETURN = "/billing/cards/return"
PAGE = "/billing/payment-details"
_UNREACHABLE = "The payment processor can't be reached just now. Please try again in a few minutes."

log = logging.getLogger("portal.payments")


@dataclass(frozen=True, slots=True)
class CardRow:
    """A stored card as a page shows it."""

    id: int
    brand: str
    last4: str
    expiry: str
    active: bool
    expired: bool


def listed(session: Session, actor: Actor) -> list[CardRow]:
    """The partner's cards, the active one first."""
    actor.require(Permission.PAYMENT_MANAGE)
    cards = select(Card).where(col(Card.partner_id) == actor.partner_id)
    return [_row(card) for card in session.exec(cards.order_by(col(Card.active).desc(), col(Card.id).desc()))]


def start_adding(actor: Actor) -> str:
    """The address of the hosted page where the partner stores a card. Runs in a thread, outside any transaction.

    Denied; Conflict when the processor doesn't answer.
    """
    partner_id, name, email, known = db.write(_who, actor)
    try:
        customer = gateway().customer(partner_id, name, email, known)
        db.write(_keep_customer, partner_id, customer)
        return gateway().setup(customer, partner_id, f"{RETURN}?setup={{setup}}", PAGE).url
    except (Silent, Refused) as fault:
        log.warning("no page to store a card on: %s", fault)
        raise Conflict(_UNREACHABLE) from None


def finish_adding(setup: str, via: str = "") -> bool:
    """Keep the card that was stored on the page of the processor `via`, or of the one that is chosen now.

    Whether there is one. As often as one likes.

    Runs in a thread, outside any transaction. Silent when the processor doesn't answer.
    """
    processor = gateway_named(via) if via else gateway()
    card = processor.stored(setup)
    if card is not None:
        db.write(_keep, card, processor.name)
    return card is not None


def activate(session: Session, actor: Actor, card_id: int) -> None:
    """Charge this card from now on. NotFound for a stranger's and an unknown one alike."""
    card = _card(session, actor, card_id)
    if not card.active:
        _make_active(session, card)
        _note(session, actor, f"{_name(card)} is charged from now on")


def delete(actor: Actor, card_id: int) -> None:
    """Forget a card here, then at the processor; another one is charged, if there is one. Runs in a thread."""
    via, token = db.write(_delete, actor, card_id)
    try:
        gateway_named(via).forget(token)
    except (Silent, Refused) as fault:
        # Without its token here it can't be charged any more.
        log.warning("a deleted card is still known to the processor: %s", fault)


def _who(session: Session, actor: Actor) -> tuple[int, str, str, str]:
    actor.require(Permission.PAYMENT_MANAGE)
    partner = session.get(Partner, actor.partner_id) if actor.partner_id else None
    if partner is None or partner.id is None:
        raise NotFound("There is no such partner.")
    profile = profile_to_change(session, partner.id)
    return partner.id, profile.company or partner.name, profile.email or partner.email, profile.customer_ref


def _keep_customer(session: Session, partner_id: int, customer: str) -> None:
    profile_to_change(session, partner_id).customer_ref = customer


def _keep(session: Session, stored: StoredCard, via: str) -> None:
    """A card that was told of before is left as it is: its owner may have done something with it since."""
    profile_to_change(session, stored.partner_id)
    values = {
        "partner_id": stored.partner_id,
        "gateway": via,
        "token": stored.token,
        "brand": stored.brand[:20],
        "last4": stored.last4,
        "expiry_month": stored.expiry_month,
        "expiry_year": stored.expiry_year,
        "active": False,
        "created_at": clock.now(),
    }
    insert = db.insert(session, Card).values(values)
    if session.connection().execute(insert.on_conflict_do_nothing(index_elements=["token"])).rowcount:
        card = session.exec(select(Card).where(col(Card.token) == stored.token)).one()
        _make_active(session, card)
        _note(session, system(stored.partner_id), f"{_name(card)} was added")


def _make_active(session: Session, card: Card) -> None:
    mine = col(Card.partner_id) == card.partner_id
    session.execute(update(Card).where(mine, col(Card.active)).values(active=False))
    session.execute(update(Card).where(col(Card.id) == card.id).values(active=True))
    _try_refused_again(session, card.partner_id)


def _try_refused_again(session: Session, partner_id: int) -> None:
    today = clock.day_in(session.get_one(Partner, partner_id).time_zone)
    refused = (col(Bill.partner_id) == partner_id, col(Bill.state) == BillState.OPEN, col(Bill.charge_refused))
    session.execute(update(Bill).where(*refused).values(next_charge_on=today))


def _delete(session: Session, actor: Actor, card_id: int) -> tuple[str, str]:
    card = _card(session, actor, card_id)
    was_active = card.active
    session.delete(card)
    session.flush()
    _note(session, actor, f"{_name(card)} was deleted")
    next_ = select(Card).where(col(Card.partner_id) == card.partner_id).order_by(col(Card.id).desc())
    if was_active and (other := session.exec(next_).first()):
        session.execute(update(Card).where(col(Card.id) == other.id).values(active=True))
    return card.gateway, card.token


def _card(session: Session, actor: Actor, card_id: int) -> Card:
    actor.require(Permission.PAYMENT_MANAGE)
    if actor.partner_id is not None:
        # Who changes which card is charged does it alone.
        profile_to_change(session, actor.partner_id)
    mine = col(Card.id) == card_id, col(Card.partner_id) == actor.partner_id
    card = session.exec(select(Card).where(*mine).with_for_update()).first()
    if card is None:
        raise NotFound("There is no such card.")
    return card


def _row(card: Card) -> CardRow:
    today = clock.today()
    expired = (card.expiry_year, card.expiry_month) < (today.year, today.month)
    expiry = f"{card.expiry_month:02}/{card.expiry_year}"
    return CardRow(card.id or 0, card.brand, card.last4, expiry, card.active, expired)


def _name(card: Card) -> str:
    return f"Card {card.brand} ending in {card.last4}"


def _note(session: Session, actor: Actor, words: str) -> None:
    audit.record(session, actor, Activity.BILLING_DETAILS, words)

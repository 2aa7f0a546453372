"""What happens when money doesn't come: the card is tried again, and the partner is written to."""

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.billing import payment_letters as letters
from portal_app.billing import standing
from portal_app.billing.inputs import AT_ONCE
from portal_app.billing.profiles import profile_of
from portal_app.mail.letter import Letter
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import (
    Bill,
    BillingMethod,
    BillState,
    Card,
    OutboxMail,
    Partner,
    PaymentAttempt,
    Role,
    User,
    UserKind,
    UserState,
)
from portal_app.webhooks.emitting import of_bills
from portal_app.webhooks.events import Event

# In days after the issue of a card bill.
RETRIES = (1, 3, 5, 7)
# In days after the due date of an invoice; before it where negative.
REMINDERS = (-7, 1, 7, 14, 28)
# Of the month before the one in which a card expires.
EXPIRY_DAYS = (1, 15)


def refuse(session: Session, bill: Bill, reason: str, now: datetime) -> None:
    """The card could not be charged for a locked bill: it is overdue, the next try is set, the partner is told."""
    today = clock.day_in(session.get_one(Partner, bill.partner_id).time_zone, now)
    days = (bill.issued_on + timedelta(days=days) for days in RETRIES)
    bill.charge_refused, bill.next_charge_on = True, next((day for day in days if day > today), None)
    session.flush()
    standing.refresh_bill(session, bill.id or 0)
    of_bills(session, Event.BILL_REFUSED, [bill])
    letter = letters.refused(bill, reason, bill.next_charge_on)
    _write(session, bill.partner_id, letter, "card refused", f"refused:{bill.id}:{today}")


def send_receipt(session: Session, bill: Bill, attempt: PaymentAttempt) -> None:
    """Tell the partner that its money came."""
    _write(session, bill.partner_id, letters.receipt(bill, attempt), "receipt", f"receipt:{attempt.key}")


def letters_of(session: Session, now: datetime) -> list[NewMail]:
    """What is not queued yet of the letters of the day that it is in each partner's zone.

    They are reminders, and tell of cards that expire next month.
    """
    return [mail for found in (_reminders(session, now), _expiries(session, now)) for mail in found]


def send_letters(session: Session, now: datetime) -> None:
    """Queue the day's letters; each only once, however often."""
    queue_all(session, letters_of(session, now))


def _write(session: Session, partner_id: int, letter: Letter, kind: str, once: str) -> None:
    queue_all(session, _mails(session, partner_id, letter, kind, once))


def _mails(session: Session, partner_id: int, letter: Letter, kind: str, once: str) -> list[NewMail]:
    """A letter to the partner's billing address; without one, to its administrators."""
    to = _billing_addresses(session, partner_id)
    return [NewMail(one, letter, kind, partner_id, f"{once}:{number}") for number, one in enumerate(to)]


def _reminders(session: Session, now: datetime) -> Iterator[NewMail]:
    # Somewhere it is yesterday or tomorrow already: which bill's day it is, its partner's zone decides.
    near = [now.date() + timedelta(days=shift - days) for days in REMINDERS for shift in (-1, 0, 1)]
    query = (
        select(Bill, Partner.time_zone)
        .join(Partner, col(Partner.id) == col(Bill.partner_id))
        .where(col(Bill.state) == BillState.OPEN, col(Bill.method) == BillingMethod.INVOICE, col(Bill.due_on).in_(near))
    )
    found = [(bill, clock.day_in(zone, now)) for bill, zone in session.exec(query)]
    # What was issued a moment ago needs no reminder.
    days = [(bill, on) for bill, on in found if (on - bill.due_on).days in REMINDERS and bill.issued_on < on]
    by_key = {f"reminder:{bill.id}:{on}": (bill, on) for bill, on in days}
    for once in _not_written(session, by_key):
        bill, on = by_key[once]
        yield from _mails(session, bill.partner_id, letters.reminder(bill, on), "reminder", once)


def _expiries(session: Session, now: datetime) -> Iterator[NewMail]:
    # A day on which nobody was there to write is made up for.
    told_on = now.date().replace(day=max(day for day in EXPIRY_DAYS if day <= now.day))
    following = now.date().replace(day=1) + timedelta(days=monthrange(now.year, now.month)[1])
    soon = col(Card.expiry_year) == following.year, col(Card.expiry_month) == following.month
    cards = session.exec(select(Card).where(col(Card.active), *soon))
    by_key = {f"expiring:{card.id}:{told_on}": card for card in cards}
    for once in _not_written(session, by_key):
        card = by_key[once]
        yield from _mails(session, card.partner_id, letters.expiring(card), "card expires", once)


def _not_written(session: Session, keys: Iterable[str]) -> list[str]:
    """Those of the keys under which no letter was queued yet: the day's are looked for each minute."""
    left = {f"{key}:0": key for key in keys}
    every = list(left)
    for start in range(0, len(every), AT_ONCE):
        some = col(OutboxMail.once).in_(every[start : start + AT_ONCE])
        for known in session.exec(select(OutboxMail.once).where(some)):
            del left[known or ""]
    return list(left.values())


def _billing_addresses(session: Session, partner_id: int) -> list[str]:
    if chosen := profile_of(session, partner_id).email or session.get_one(Partner, partner_id).email:
        return [chosen]
    administrators = select(User.email).where(
        col(User.partner_id) == partner_id,
        col(User.kind) == UserKind.PARTNER,
        col(User.role) == Role.ADMINISTRATOR,
        col(User.state) == UserState.ACTIVE,
    )
    return list(session.exec(administrators.order_by(col(User.id))))

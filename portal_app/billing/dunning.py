"""What happens when money doesn't come: the card is tried again, and the partner is written to."""

from calendar import monthrange
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from portal_app import clock
from portal_app.billing import payment_letters as letters
from portal_app.billing import standing
from portal_app.billing.profiles import profile_of
from portal_app.mail.letter import Letter
from portal_app.mail.service import NewMail, queue_all
from portal_app.models import (
    Bill,
    BillingMethod,
    BillState,
    Card,
    Partner,
    PaymentAttempt,
    Role,
    User,
    UserKind,
    UserState,
)

# In days after the issue of a card bill.
RETRIES = (1, 3, 5, 7)
# In days after the due date of an invoice; before it where negative.
REMINDERS = (-7, 1, 7, 14, 28)


def refuse(session: Session, bill: Bill, reason: str, now: datetime) -> None:
    """The card could not be charged for a locked bill: it is overdue, the next try is set, the partner is told."""
    today = clock.day_in(session.get_one(Partner, bill.partner_id).time_zone, now)
    days = (bill.issued_on + timedelta(days=days) for days in RETRIES)
    bill.charge_refused, bill.next_charge_on = True, next((day for day in days if day > today), None)
    session.flush()
    standing.refresh_bill(session, bill.id or 0)
    letter = letters.refused(bill, reason, bill.next_charge_on)
    write(session, bill.partner_id, letter, "card refused", f"refused:{bill.id}:{today}")


def send_receipt(session: Session, bill: Bill, attempt: PaymentAttempt) -> None:
    """Tell the partner that its money came."""
    write(session, bill.partner_id, letters.receipt(bill, attempt), "receipt", f"receipt:{attempt.key}")


def day(session: Session, partner_id: int, on: date) -> None:
    """The letters of one of the partner's days: reminders of open invoices, and cards that expire next month."""
    _remind(session, partner_id, on)
    _warn_of_expiry(session, partner_id, on)


def write(session: Session, partner_id: int, letter: Letter, kind: str, once: str) -> None:
    """Queue a letter to the partner's billing address, once; without one, to its administrators."""
    to = _billing_addresses(session, partner_id)
    queue_all(session, [NewMail(one, letter, kind, partner_id, f"{once}:{n}") for n, one in enumerate(to)])


def _remind(session: Session, partner_id: int, on: date) -> None:
    due = [on - timedelta(days=days) for days in REMINDERS]
    query = select(Bill).where(
        col(Bill.partner_id) == partner_id,
        col(Bill.state) == BillState.OPEN,
        col(Bill.method) == BillingMethod.INVOICE,
        col(Bill.due_on).in_(due),
        # What was issued a moment ago needs no reminder.
        col(Bill.issued_on) < on,
    )
    for bill in session.exec(query):
        write(session, partner_id, letters.reminder(bill, on), "reminder", f"reminder:{bill.id}:{on}")


def _warn_of_expiry(session: Session, partner_id: int, on: date) -> None:
    following = on.replace(day=1) + timedelta(days=monthrange(on.year, on.month)[1])
    card = session.exec(select(Card).where(col(Card.partner_id) == partner_id, col(Card.active))).first()
    if card and (card.expiry_year, card.expiry_month) == (following.year, following.month):
        once = f"expiring:{card.id}:{card.expiry_year}-{card.expiry_month}"
        write(session, partner_id, letters.expiring(card), "card expires", once)


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

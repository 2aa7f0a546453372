"""What of a bill was credited, what was received, and what is to be given back. For operators, by reference number."""

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from portal_app.auth.actor import Actor
from portal_app.errors import NotFound
from portal_app.models import Bill, Payment, PaymentKind

NO_SUCH_BILL = "There is no bill with this number."


@dataclass(frozen=True, slots=True)
class Balance:
    """In minor units. `received` is money, less what went back; credits are none."""

    total: int
    credited: int
    received: int

    @property
    def creditable(self) -> int:
        return self.total - self.credited

    @property
    def back(self) -> int:
        """What was received beyond what is left of the bill."""
        return max(0, self.received - self.creditable)


def bill_by_number(session: Session, actor: Actor, number: int, *, lock: bool = False) -> Bill:
    """Any partner's bill or credit note. `lock` holds it until the transaction ends. Raises Denied, NotFound."""
    actor.require_provider()
    found = select(Bill).where(col(Bill.number) == number)
    bill = session.exec(found.with_for_update() if lock else found).first()
    if bill is None:
        raise NotFound(NO_SUCH_BILL)
    return bill


def balance_of(session: Session, bill: Bill) -> Balance:
    """Of a bill, not of a credit note."""
    credited = select(func.coalesce(func.sum(Bill.total_minor), 0)).where(col(Bill.credits_id) == bill.id)
    money = col(Payment.bill_id) == bill.id, col(Payment.kind) != PaymentKind.CREDIT
    received = select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(*money)
    return Balance(bill.total_minor, -int(session.scalar(credited) or 0), int(session.scalar(received) or 0))

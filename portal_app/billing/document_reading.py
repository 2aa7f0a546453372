"""All that a bill's documents are made of, read at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.billing import operators
from portal_app.billing.access import whole_bill
from portal_app.billing.words import kind_word
from portal_app.models import Bill, BillLine, BillShare


@dataclass(frozen=True, slots=True)
class BillDocument:
    """A bill as it was made. `emails` are the accounts' addresses; `credited` is the bill that a credit note is for."""

    bill: Bill
    lines: list[BillLine]
    emails: Mapping[int, str]
    credited: Bill | None


def document(session: Session, actor: Actor, number: int, ending: str) -> BillDocument:
    """The document of one reference number. Raises Denied and NotFound; what an operator reads is audited."""
    bill = whole_bill(session, actor, _numbered(number))
    if actor.kind == ActorKind.OPERATOR:
        said = f"{kind_word(bill)} {bill.number} downloaded as {ending}"
        operators.note(session, actor, bill.partner_id, Activity.DATA_EXPORT, said)
    return of_bill(session, bill)


def of_bill(session: Session, bill: Bill) -> BillDocument:
    """The document of a bill that the caller may read."""
    lines = select(BillLine).where(col(BillLine.bill_id) == bill.id).order_by(col(BillLine.position))
    emails = select(BillShare.account_id, BillShare.account_email).where(col(BillShare.bill_id) == bill.id)
    credited = session.get(Bill, bill.credits_id) if bill.credits_id else None
    return BillDocument(bill, list(session.exec(lines)), dict(session.exec(emails).all()), credited)


def _numbered(number: int) -> ColumnElement[bool]:
    return col(Bill.number) == number

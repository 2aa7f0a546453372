"""What the page of an account's bills reads. The account was found in the actor's scope before."""

from dataclasses import replace
from datetime import date

from sqlalchemy import and_, case, func, select
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.billing import bill_reading, standing
from portal_app.billing.account_rows import AccountBill, AccountLine, Paid
from portal_app.models import Bill, BillLine, BillShare, BillState

_SHARED = col(Bill.id) == col(BillShare.bill_id)
_LINE = (
    col(BillLine.position),
    col(BillLine.service),
    col(BillLine.description),
    col(BillLine.starts_on),
    col(BillLine.ends_on),
    col(BillLine.quantity_milli),
    col(BillLine.unit),
    col(BillLine.unit_minor),
    col(BillLine.amount_minor),
    col(Bill.currency),
    col(BillLine.trace),
)


def bills_of(session: Session, actor: Actor, account_id: int, today: date, limit: int) -> list[AccountBill]:
    """The account's newest bills and credit notes."""
    wanted = select(
        col(Bill.id),
        col(Bill.number),
        col(Bill.kind),
        col(Bill.plan),
        col(Bill.method),
        col(Bill.state),
        bill_reading.status(today),
        col(Bill.issued_on),
        col(Bill.due_on),
        col(Bill.effective_on),
        col(BillShare.amount_minor),
        case((col(Bill.state) == BillState.OPEN, col(Bill.settled_minor)), else_=0),
        col(Bill.currency),
        bill_reading.whole(actor),
    ).join(BillShare, _SHARED)
    mine = and_(bill_reading.in_scope(actor), col(BillShare.account_id) == account_id)
    newest = wanted.where(mine).order_by(col(Bill.issued_on).desc(), col(Bill.id).desc()).limit(limit)
    found = [AccountBill(*row) for row in session.execute(newest)]
    settled = standing.settled_parts(session, [bill.id for bill in found if bill.settled_minor])
    return [replace(bill, settled_minor=settled.get(bill.id, {}).get(account_id, 0)) for bill in found]


def lines_of(session: Session, actor: Actor, account_id: int, bill_id: int) -> list[AccountLine]:
    """The lines of a bill that are the account's."""
    wanted = select(*_LINE).join(Bill, col(Bill.id) == col(BillLine.bill_id))
    mine = and_(bill_reading.in_scope(actor), col(BillLine.account_id) == account_id, col(BillLine.bill_id) == bill_id)
    return [AccountLine(*row) for row in session.execute(wanted.where(mine).order_by(col(BillLine.position)))]


def paid_of(session: Session, actor: Actor, account_id: int) -> Paid:
    """What was paid for the account: its paid bills, less what was credited of them."""
    paid = and_(bill_reading.in_scope(actor), col(Bill.state) == BillState.PAID, col(Bill.credits_id).is_(None))
    bill = select(Bill.id).where(paid)
    is_bill, is_note = col(Bill.id).in_(bill), col(Bill.credits_id).in_(bill)
    paid_at = func.max(case((is_bill, col(Bill.paid_at))))
    sums = select(func.count(case((is_bill, 1))), func.coalesce(func.sum(BillShare.amount_minor), 0), paid_at)
    mine = and_(col(BillShare.account_id) == account_id, is_bill | is_note)
    count, amount, last = session.execute(sums.select_from(Bill).join(BillShare, _SHARED).where(mine)).one()
    return Paid(count, int(amount), last)

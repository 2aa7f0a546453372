"""What an account owes, kept beside it: the dashboard's billing status and amount come from its bills alone."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import islice

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlmodel import Session, col

from portal_app import clock
from portal_app.billing.pricing import shares
from portal_app.models import TRIALS, Account, Bill, BillingStatus, BillShare, BillState, Partner

AT_ONCE = 2000
Standing = tuple[str, int]


def refresh(session: Session, account_ids: Iterable[int], today: date | None = None) -> None:
    """Write what the accounts owe after a bill was issued, settled or refused, or its due date has passed.

    `today` is the partner's day unless a past day is being caught up with. The accounts are locked first, in the
    order of their ids: of two changes at once, the second sees what the first did.
    """
    ids = iter(sorted(set(account_ids)))
    while some := list(islice(ids, AT_ONCE)):
        _refresh(session, some, today)


def refresh_bill(session: Session, bill_id: int) -> None:
    """`refresh` for the accounts that share a bill."""
    refresh(session, session.scalars(select(col(BillShare.account_id)).where(col(BillShare.bill_id) == bill_id)).all())


def settled_parts(session: Session, bill_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """By bill, each account's part of what is settled of it: to the last cent, as the shares make the bill."""
    wanted = select(BillShare.bill_id, BillShare.account_id, BillShare.amount_minor, Bill.settled_minor)
    found: dict[int, tuple[int, dict[int, int]]] = {}
    for bill_id, account_id, amount, settled in session.execute(
        wanted.join(Bill, col(Bill.id) == col(BillShare.bill_id)).where(col(BillShare.bill_id).in_(bill_ids))
    ):
        found.setdefault(bill_id, (settled, {}))[1][account_id] = amount
    return {bill_id: shares(parts, settled) for bill_id, (settled, parts) in found.items()}


def _refresh(session: Session, ids: list[int], today: date | None) -> None:
    chosen = select(Account.id, Account.partner_id, Account.status, Account.billing_status, Account.amount_minor)
    locked = session.execute(chosen.where(col(Account.id).in_(ids)).order_by(col(Account.id)).with_for_update()).all()
    days = _days(session, {row.partner_id for row in locked}, today)
    found: dict[int, Standing] = {}
    for day in set(days.values()):
        found |= standings(session, [row.id for row in locked if days[row.partner_id] == day], day)
    none = (BillingStatus.NONE.value, 0)
    wanted = {row.id: none if row.status in TRIALS else found.get(row.id, none) for row in locked}
    changed = [
        {"account": row.id, "standing": wanted[row.id][0], "owed": wanted[row.id][1]}
        for row in locked
        if (row.billing_status, row.amount_minor) != wanted[row.id]
    ]
    if changed:
        table = Account.__table__
        values = {"billing_status": bindparam("standing"), "amount_minor": bindparam("owed")}
        session.connection().execute(update(table).where(table.c.id == bindparam("account")).values(values), changed)


def _days(session: Session, partner_ids: set[int], today: date | None) -> dict[int, date]:
    zones = session.execute(select(Partner.id, Partner.time_zone).where(col(Partner.id).in_(partner_ids)))
    return {partner_id: today or clock.day_in(zone) for partner_id, zone in zones}


def standings(session: Session, ids: list[int], today: date) -> dict[int, Standing]:
    """The status and the amount owed of those that were ever billed, deleted ones among them."""
    is_open = col(Bill.state) == BillState.OPEN
    is_late = is_open & or_(col(Bill.due_on) < today, col(Bill.charge_refused))
    query = (
        select(
            BillShare.account_id,
            func.sum(case((is_open, col(BillShare.amount_minor)), else_=0)),
            func.max(case((is_late, 2), (is_open, 1), else_=0)),
            func.max(case((is_open & (col(Bill.settled_minor) > 0), col(Bill.id)))),
        )
        .join(Bill, col(Bill.id) == col(BillShare.bill_id))
        .where(col(BillShare.account_id).in_(ids), col(Bill.credits_id).is_(None))
        .group_by(col(BillShare.account_id))
    )
    found = session.execute(query).all()
    settled = _settled(session, [account_id for account_id, *_, partly in found if partly])
    statuses = (BillingStatus.CURRENT.value, BillingStatus.DUE.value, BillingStatus.OVERDUE.value)
    return {
        account_id: (statuses[worst], int(owed) - settled.get(account_id, 0)) for account_id, owed, worst, _ in found
    }


def _settled(session: Session, ids: list[int]) -> Counter[int]:
    """The accounts' parts of what is settled of their open bills. Few bills are settled in parts."""
    if not ids:
        return Counter()
    partly = and_(col(Bill.state) == BillState.OPEN, col(Bill.settled_minor) > 0, col(BillShare.account_id).in_(ids))
    bills = select(BillShare.bill_id).join(Bill, col(Bill.id) == col(BillShare.bill_id)).where(partly).distinct()
    return sum(map(Counter, settled_parts(session, session.scalars(bills).all()).values()), Counter())

"""Every SELECT of the lists of bills, always in the actor's own scope.

Who sees chosen accounts only sees a bill by its shares: those with none of theirs don't exist, and of the others only
their part.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlmodel import Session, col

from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor
from portal_app.billing import standing
from portal_app.billing.bill_query import BillList, BillQuery
from portal_app.billing.bill_rows import BillPage, BillRow, Owed
from portal_app.models import Account, Bill, BillingMethod, BillingStatus, BillKind, BillShare, BillState
from portal_app.text import searchable

_ID = col(Bill.id)
_OF_BILL = col(BillShare.bill_id) == _ID
_NOTE = col(Bill.kind) == BillKind.CREDIT_NOTE
_LISTS = {
    BillList.UNPAID: and_(col(Bill.state) == BillState.OPEN, ~_NOTE),
    BillList.HISTORY: or_(col(Bill.state) != BillState.OPEN, _NOTE),
}


def page(session: Session, actor: Actor, query: BillQuery, today: date) -> BillPage:
    """One page of bills."""
    here = and_(in_scope(actor), _LISTS[query.list])
    where = and_(here, *_filters(session, actor, query, today))
    wanted = rows(actor, today).where(where).order_by(*_order(actor, query, today))
    found = session.execute(wanted.offset((query.page - 1) * query.size).limit(query.size))
    return BillPage([BillRow(*row) for row in found], _count(session, where), _count(session, here))


def by_number(session: Session, actor: Actor, digits: str, today: date, limit: int) -> list[BillRow]:
    """The newest bills whose reference number begins with the digits."""
    wanted = rows(actor, today).where(in_scope(actor), _begins_with(digits)).order_by(col(Bill.number).desc())
    return [BillRow(*row) for row in session.execute(wanted.limit(limit))]


def owed(session: Session, actor: Actor, today: date) -> Owed:
    """What of the actor's accounts is open."""
    late, refused, one = _late(today), col(Bill.charge_refused), literal(1)
    part = col(Bill.total_minor) - col(Bill.settled_minor) if actor.all_accounts else _part(actor)
    invoice = col(Bill.method) == BillingMethod.INVOICE
    kinds = (~late, late, refused)
    sums = [(kind, part) for kind in kinds] + [(kind, one) for kind in (*kinds, invoice)]
    columns = [func.coalesce(func.sum(case((when, what), else_=0)), 0) for when, what in sums]
    next_due = func.min(case((~late, col(Bill.due_on))))
    found = session.execute(select(*columns, next_due).where(in_scope(actor), _LISTS[BillList.UNPAID])).one()
    whole = Owed(*(int(value) for value in found[:-1]), found[-1])
    return whole if actor.all_accounts else _less_settled(session, actor, whole, today)


def _less_settled(session: Session, actor: Actor, whole: Owed, today: date) -> Owed:
    """Less what is settled of the actor's parts already: some bills are paid or credited in parts."""
    partly = and_(in_scope(actor), _LISTS[BillList.UNPAID], col(Bill.settled_minor) > 0)
    found = session.execute(select(_ID, _late(today), col(Bill.charge_refused)).where(partly)).all()
    settled = standing.settled_parts(session, [bill_id for bill_id, *_ in found])
    mine = set(session.scalars(_accounts(actor))) if found else set()
    for bill_id, late, refused in found:
        part = sum(minor for account_id, minor in settled[bill_id].items() if account_id in mine)
        whole = replace(
            whole,
            due_minor=whole.due_minor - (0 if late else part),
            overdue_minor=whole.overdue_minor - (part if late else 0),
            refused_minor=whole.refused_minor - (part if refused else 0),
        )
    return whole


def in_scope(actor: Actor) -> ColumnElement[bool]:
    """The bills of which at least a part exists for the actor. Every query of bills holds this."""
    if actor.partner_id is None:
        return false()
    own = col(Bill.partner_id) == actor.partner_id
    if actor.all_accounts:
        return own
    shared = select(BillShare.bill_id).where(col(BillShare.account_id).in_(_accounts(actor)))
    return and_(own, _ID.in_(shared))


def _accounts(actor: Actor) -> Select[Any]:
    return select(col(Account.id)).where(accounts.in_scope(actor))


def rows(actor: Actor, today: date) -> Select[*tuple[Any, ...]]:
    """The columns of a BillRow."""
    return select(
        _ID,
        col(Bill.number),
        col(Bill.kind),
        func.coalesce(account_name(), ""),
        col(Bill.account_id),
        col(Bill.method),
        col(Bill.plan),
        status(today),
        col(Bill.issued_on),
        col(Bill.due_on),
        _part(actor),
        case((and_(col(Bill.state) == BillState.OPEN, whole(actor)), Bill.total_minor - Bill.settled_minor), else_=0),
        col(Bill.currency),
        whole(actor),
    )


def account_name() -> ScalarSelect[Any]:
    """The name of the account that the bill is for, as it was; none on a consolidated one."""
    mine = and_(_OF_BILL, col(BillShare.account_id) == col(Bill.account_id))
    return select(BillShare.account_name).where(mine).limit(1).correlate(Bill).scalar_subquery()


def _part(actor: Actor) -> Any:
    if actor.all_accounts:
        return col(Bill.total_minor)
    mine = and_(_OF_BILL, col(BillShare.account_id).in_(_accounts(actor)))
    return select(func.sum(BillShare.amount_minor)).where(mine).correlate(Bill).scalar_subquery()


def whole(actor: Actor) -> ColumnElement[bool]:
    """Of the bills in scope, those of which every part exists for the actor."""
    if actor.all_accounts:
        return true()
    return ~exists().where(_OF_BILL, col(BillShare.account_id).not_in(_accounts(actor))).correlate(Bill)


def _late(today: date) -> ColumnElement[bool]:
    return or_(col(Bill.due_on) < today, col(Bill.charge_refused))


def status(today: date) -> ColumnElement[str]:
    """The bill's BillingStatus: CURRENT once nothing is to be paid on it."""
    return case(
        (or_(col(Bill.state) != BillState.OPEN, _NOTE), BillingStatus.CURRENT.value),
        (_late(today), BillingStatus.OVERDUE.value),
        else_=BillingStatus.DUE.value,
    )


def _filters(session: Session, actor: Actor, query: BillQuery, today: date) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = []
    if query.status:
        parts.append(_late(today) if query.status == BillingStatus.OVERDUE else ~_late(today))
    if words := searchable(query.search):
        found = select(col(Account.id)).where(accounts.that_match(session, actor, words))
        gone = accounts.deleted_that_match(actor, words)
        of_them = or_(col(BillShare.account_id).in_(found), col(BillShare.account_id).in_(gone))
        named = exists().where(_OF_BILL, of_them).correlate(Bill)
        parts.append(or_(_begins_with(words), named) if words.isdecimal() else named)
    return parts


def _begins_with(digits: str) -> ColumnElement[bool]:
    return cast(col(Bill.number), String).startswith(digits, autoescape=True)


def _order(actor: Actor, query: BillQuery, today: date) -> list[Any]:
    first = {
        "number": col(Bill.number),
        "name": func.coalesce(account_name(), ""),
        "status": status(today),
        "issued": col(Bill.issued_on),
        "due": col(Bill.due_on),
        "amount": _part(actor),
    }[query.sort]
    return [first.desc(), _ID.desc()] if query.descending else [first.asc(), _ID.asc()]


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Bill).where(where)) or 0

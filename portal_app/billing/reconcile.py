"""Whether what was billed is what is there: entities, billed entities and lines side by side; what doesn't add up."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.models import Account, BackupTask, Bill, BilledPeriod, BillLine, BillShare, Partner, Subscription

AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Compared:
    """A service of an account: what its tasks hold now, and what the account's latest bill says.

    `entities` are those of now that a bill would count, of all that the tasks hold. `billed` is the entities that the
    line's trace names, `quantity_milli` what the line charges (seats or GB, in thousandths). None where the bill has
    no such line, as for an account that was never billed.
    """

    account_id: int
    account_name: str
    service: str
    entities: int
    holds: int
    billed: int | None
    quantity_milli: int | None
    unit: str
    bill_number: int | None

    @property
    def differs(self) -> bool:
        return self.entities != (self.billed or 0)


@dataclass(frozen=True, slots=True)
class ComparedPage:
    """A page of services by their accounts' names; how many there are to page through, how many differ, and all."""

    rows: list[Compared]
    matching: int
    differing: int
    total: int


def partners(session: Session, actor: Actor) -> dict[str, str]:
    """The names of all partners by their codes. Raises Denied."""
    actor.require_provider()
    return dict(session.execute(select(Partner.code, Partner.name).order_by(col(Partner.code))).tuples().all())


def of_partner(session: Session, actor: Actor, code: str, **asked: Any) -> tuple[ComparedPage, list[str]]:
    """`compare` and `faults` of the partner of this code; nothing where there is none. Raises Denied."""
    actor.require_provider()
    partner_id = session.scalar(select(Partner.id).where(col(Partner.code) == code)) or 0
    return compare(session, actor, partner_id, **asked), faults(session, actor, partner_id)


def compare(
    session: Session, actor: Actor, partner_id: int, *, every: bool, page: int = 1, size: int = 50
) -> ComparedPage:
    """The services of the partner's subscribed accounts; without `every` those that differ. Raises Denied."""
    actor.require_provider()
    side = _side_by_side(partner_id)
    differs = side.c.entities != func.coalesce(side.c.billed, 0)
    counted = select(func.count(), func.coalesce(func.sum(case((differs, 1), else_=0)), 0)).select_from(side)
    total, differing = session.execute(counted).one()
    order = (side.c.name_key, side.c.account_id, side.c.service)
    wanted = select(*(side.c[one.name] for one in fields(Compared))).where(literal(every) | differs).order_by(*order)
    rows = [Compared(*row) for row in session.execute(wanted.offset((page - 1) * size).limit(size))]
    return ComparedPage(rows, total if every else int(differing), int(differing), total)


def _side_by_side(partner_id: int) -> Subquery:
    """Every service that an account uses or was billed for last, with both."""
    # Each key comes at most once from either side: grouping puts the two into one row, in one pass.
    both = union_all(_used(partner_id), _billed(partner_id)).subquery()
    key = (both.c.account_id, both.c.service)
    latest = (func.max(both.c.billed).label("billed"), func.max(both.c.quantity_milli).label("quantity_milli"))
    bill = (func.coalesce(func.max(both.c.unit), "").label("unit"), func.max(both.c.number).label("bill_number"))
    name = (Account.name.label("account_name"), Account.name_key)
    now = (func.max(both.c[kind]).label(kind) for kind in ("entities", "holds"))
    return (
        select(*key, *name, *now, *latest, *bill)
        .join(Account, col(Account.id) == both.c.account_id)
        .join(Subscription, col(Subscription.account_id) == both.c.account_id)
        .group_by(*key, col(Account.name), col(Account.name_key))
        .subquery()
    )


def _used(partner_id: int) -> Select[Any]:
    """What of the tasks of each account and service is billed now, and all that they hold."""
    kinds = {"entities": BackupTask.billed_entities, "holds": BackupTask.entities}
    now = (cast(func.sum(column), BigInteger).label(kind) for kind, column in kinds.items())
    none = (cast(null(), BigInteger), cast(null(), BigInteger), cast(null(), String), cast(null(), Integer))
    names = ("billed", "quantity_milli", "unit", "number")
    unbilled = (value.label(name) for value, name in zip(none, names, strict=True))
    return (
        select(BackupTask.account_id, BackupTask.service, *now, *unbilled)
        .join(Account, col(Account.id) == col(BackupTask.account_id))
        .where(col(Account.partner_id) == partner_id)
        .group_by(col(BackupTask.account_id), col(BackupTask.service))
    )


def _billed(partner_id: int) -> Select[Any]:
    """Of each account's latest bill, the last line of each service."""
    latest = (
        select(BillShare.account_id, func.max(BillShare.bill_id).label("bill_id"))
        .join(Bill, col(Bill.id) == col(BillShare.bill_id))
        .where(col(Bill.partner_id) == partner_id, col(Bill.credits_id).is_(None))
        .group_by(col(BillShare.account_id))
        .subquery()
    )
    of_latest = (latest.c.bill_id == BillLine.bill_id) & (latest.c.account_id == BillLine.account_id)
    last = (
        select(BillLine.bill_id, func.max(BillLine.position).label("position"))
        .join(latest, of_latest)
        .where(col(BillLine.service) != "")
        .group_by(col(BillLine.bill_id), col(BillLine.account_id), col(BillLine.service))
        .subquery()
    )
    entities = cast(func.coalesce(col(BillLine.trace)["entities"].as_integer(), 0), BigInteger)
    line = (
        BillLine.account_id,
        BillLine.service,
        literal(0),
        literal(0),
        entities,
        BillLine.quantity_milli,
        BillLine.unit,
    )
    return (
        select(*line, Bill.number)
        .join(last, (last.c.bill_id == BillLine.bill_id) & (last.c.position == BillLine.position))
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
    )


def faults(session: Session, actor: Actor, partner_id: int) -> list[str]:
    """What doesn't add up in the partner's bills, as sentences, the first of each kind; empty when all does. Denied.

    Each bill against its lines and shares, and each subscription's covered days: without a gap, up to `covered_until`.
    """
    actor.require_provider()
    return [*_sums(session, partner_id), *_gaps(session, partner_id)]


def _sums(session: Session, partner_id: int) -> list[str]:
    def sum_of(model: type[BillLine] | type[BillShare]):
        amount = func.coalesce(func.sum(col(model.amount_minor)), 0)
        return select(amount).where(col(model.bill_id) == col(Bill.id)).scalar_subquery()

    lines, shares = sum_of(BillLine), sum_of(BillShare)
    query = select(Bill.number, Bill.net_minor - lines, Bill.total_minor - shares)
    wrong = (Bill.net_minor != lines) | (Bill.total_minor != shares)
    bills = query.where(col(Bill.partner_id) == partner_id, col(Bill.credits_id).is_(None), wrong)
    return [
        f"Bill {number}: {net} minor units of its net are in no line, {total} of its total in no account's share."
        for number, net, total in session.execute(bills.order_by(col(Bill.number)).limit(AT_MOST))
    ]


def _gaps(session: Session, partner_id: int) -> list[str]:
    before = func.lag(BilledPeriod.ends_on).over(
        partition_by=col(BilledPeriod.account_id), order_by=col(BilledPeriod.starts_on)
    )
    # An account may have been subscribed before: between two subscriptions there is nothing to bill.
    since = col(BilledPeriod.starts_on) >= col(Subscription.started_on)
    mine = (col(Subscription.partner_id) == partner_id) & since
    of_account = col(Subscription.account_id) == col(BilledPeriod.account_id)
    periods = (
        select(BilledPeriod.account_id, BilledPeriod.starts_on, before.label("before"))
        .join(Subscription, of_account)
        .where(mine)
        .subquery()
    )
    named = select(Account.name, periods.c.before, periods.c.starts_on).join(
        periods, periods.c.account_id == col(Account.id)
    )
    gaps = named.where(periods.c.before != periods.c.starts_on).order_by(periods.c.account_id, periods.c.starts_on)
    end = func.max(BilledPeriod.ends_on)
    late = (
        select(Account.name, end, Subscription.covered_until)
        .join(Subscription, col(Subscription.account_id) == col(Account.id))
        .join(BilledPeriod, of_account)
        .where(mine)
        .group_by(col(Account.id), col(Account.name), col(Subscription.covered_until))
        .having(end != col(Subscription.covered_until))
        .order_by(col(Account.id))
    )
    return [
        *(f"{name}: the days from {a} to {b} are on no bill." for name, a, b in session.execute(gaps.limit(AT_MOST))),
        *(f"{name}: billed up to {a}, but covered up to {b}." for name, a, b in session.execute(late.limit(AT_MOST))),
    ]

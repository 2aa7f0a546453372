"""Whether what was billed is what is there: entities, billed entities and lines side by side; what doesn't add up."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from portal_app.auth.actor import Actor
from portal_app.billing import inputs
from portal_app.models import Account, Bill, BilledPeriod, BillLine, BillShare, Partner, Subscription


@dataclass(frozen=True, slots=True)
class Compared:
    """A service of an account: what its tasks hold now, and what the account's latest bill says.

    `billed` is the entities that the line's trace names, `quantity_milli` what the line charges (seats or GB, in
    thousandths). None where the bill has no such line, as for an account that was never billed.
    """

    account_id: int
    account_name: str
    service: str
    entities: int
    billed: int | None
    quantity_milli: int | None
    unit: str
    bill_number: int | None

    @property
    def differs(self) -> bool:
        return self.entities != (self.billed or 0)


def partners(session: Session, actor: Actor) -> dict[str, str]:
    """The names of all partners by their codes. Raises Denied."""
    actor.require_provider()
    return dict(session.execute(select(Partner.code, Partner.name).order_by(col(Partner.code))).tuples().all())


def of_partner(session: Session, actor: Actor, code: str) -> tuple[list[Compared], list[str]]:
    """`compare` and `faults` of the partner of this code; nothing where there is none. Raises Denied."""
    actor.require_provider()
    partner_id = session.scalar(select(Partner.id).where(col(Partner.code) == code)) or 0
    return compare(session, actor, partner_id), faults(session, actor, partner_id)


def compare(session: Session, actor: Actor, partner_id: int) -> list[Compared]:
    """Every service of the partner's subscribed accounts, in the order of names. Raises Denied."""
    actor.require_provider()
    accounts = session.execute(
        select(Account.id, Account.name)
        .join(Subscription, col(Subscription.account_id) == col(Account.id))
        .where(col(Account.partner_id) == partner_id)
        .order_by(col(Account.name_key), col(Account.id))
    ).all()
    usage = inputs.usage_of(session, [account_id for account_id, _ in accounts])
    billed = _latest_lines(session, partner_id)
    found = []
    for account_id, name in accounts:
        entities = {used.service: used.entities for used in usage.get(account_id, ())}
        lines = billed.get(account_id, {})
        for service in sorted(entities.keys() | lines.keys()):
            line = lines.get(service, (None, None, "", None))
            found.append(Compared(account_id, name, service, entities.get(service, 0), *line))
    return found


Line = tuple[int, int, str, int]


def _latest_lines(session: Session, partner_id: int) -> dict[int, dict[str, Line]]:
    """Of each account's latest bill, the last line of each service."""
    latest = (
        select(BillShare.account_id, func.max(BillShare.bill_id).label("bill_id"))
        .join(Bill, col(Bill.id) == col(BillShare.bill_id))
        .where(col(Bill.partner_id) == partner_id, col(Bill.credits_id).is_(None))
        .group_by(col(BillShare.account_id))
        .subquery()
    )
    lines = (
        select(BillLine, Bill.number)
        .join(latest, (latest.c.bill_id == BillLine.bill_id) & (latest.c.account_id == BillLine.account_id))
        .join(Bill, col(Bill.id) == col(BillLine.bill_id))
        .where(col(BillLine.service) != "")
        .order_by(col(BillLine.bill_id), col(BillLine.position))
    )
    found: dict[int, dict[str, Line]] = {}
    for line, number in session.execute(lines):
        billed = int(line.trace.get("entities", 0))
        found.setdefault(line.account_id, {})[line.service] = (billed, line.quantity_milli, line.unit, number)
    return found


def faults(session: Session, actor: Actor, partner_id: int) -> list[str]:
    """What doesn't add up in the partner's bills, as sentences; empty when all does. Raises Denied.

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
        for number, net, total in session.execute(bills.order_by(col(Bill.number)))
    ]


def _gaps(session: Session, partner_id: int) -> list[str]:
    query = (
        select(BilledPeriod, Account.name, Subscription.covered_until)
        .join(Subscription, col(Subscription.account_id) == col(BilledPeriod.account_id))
        .join(Account, col(Account.id) == col(BilledPeriod.account_id))
        # An account may have been subscribed before: between two subscriptions there is nothing to bill.
        .where(col(Subscription.partner_id) == partner_id, col(BilledPeriod.starts_on) >= Subscription.started_on)
        .order_by(col(BilledPeriod.account_id), col(BilledPeriod.starts_on))
    )
    found, ends = [], {}
    for period, name, covered_until in session.execute(query):
        before = ends.get(period.account_id)
        if before is not None and before[0] != period.starts_on:
            found.append(f"{name}: the days from {before[0]} to {period.starts_on} are on no bill.")
        ends[period.account_id] = (period.ends_on, name, covered_until)
    late = (one for one in ends.values() if one[0] != one[2])
    return found + [f"{name}: billed up to {end}, but covered up to {until}." for end, name, until in late]

"""What a day's bills are made with, as the database has it: terms, contracts and usage (see `plan`)."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, or_, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.billing import tax_ids
from portal_app.billing.plan import Contract, Terms
from portal_app.billing.pricing import TaskUsage, Usage
from portal_app.models import (
    TRIALS,
    Account,
    BackupTask,
    BillingProfile,
    Partner,
    Plan,
    Subscription,
)
from portal_app.settings import settings

AT_ONCE = 2000
_OF_CONTRACT = ("account_id", "plan", "started_on", "anchor_on", "covered_until", "next_plan", "ends", "excluded")
_KEPT = (*_OF_CONTRACT, "acts_on")


def terms_of(partner: Partner, profile: BillingProfile) -> Terms:
    """How the partner is billed today."""
    return Terms(
        partner_id=profile.partner_id,
        currency=partner.currency,
        method=profile.method,
        payment_day=profile.payment_day,
        annual_together=profile.annual_together,
        reverse_charge=is_reverse_charge(profile),
    )


def is_reverse_charge(profile: BillingProfile) -> bool:
    """Whether the buyer owes the tax: a company with a VAT number in another country of the Union than the seller's."""
    seller, buyer = settings().seller_country, profile.country
    both = {seller, buyer} <= tax_ids.EUROPEAN
    return both and seller != buyer and tax_ids.is_vat(buyer, profile.tax_id)


def adopt(session: Session, partner: Partner, on: date | None = None) -> set[int]:
    """A subscription for each subscribed account that has none yet and began by the day; those accounts."""
    new = [contract for contract in not_adopted(session, partner) if on is None or contract.started_on <= on]
    if new:
        rows = [_values(contract) | {"partner_id": partner.id} for contract in new]
        session.execute(insert(Subscription.__table__), rows)
    return {contract.account_id for contract in new}


def not_adopted(session: Session, partner: Partner) -> list[Contract]:
    """The contracts of subscribed accounts that billing doesn't know yet."""
    known = exists().where(col(Subscription.account_id) == col(Account.id))
    columns = (Account.id, Account.name, Account.email, Account.status, Account.subscribed_at)
    mine = (col(Account.partner_id) == partner.id, col(Account.status).not_in(TRIALS))
    return [
        begun(account_id, name, email, plan, clock.day_in(partner.time_zone, at))
        for account_id, name, email, plan, at in session.execute(select(*columns).where(*mine, ~known))
    ]


def begun(account_id: int, name: str, email: str, plan: str, on: date) -> Contract:
    """A contract that begins on a day and that no bill covers yet."""
    return Contract(account_id, name, email, Plan(plan), started_on=on, anchor_on=on, covered_until=on)


def _values(contract: Contract) -> dict[str, Any]:
    return {name: getattr(contract, name) for name in _KEPT} | {"seat_cap": None}


def contracts(session: Session, *where: ColumnElement[bool], lock: bool = False) -> list[tuple[Subscription, Contract]]:
    """The subscriptions of which the conditions are true, with what `plan` knows of each, by account."""
    query = select(Subscription, Account.name, Account.email).join(
        Account, col(Account.id) == col(Subscription.account_id)
    )
    found = query.where(*where).order_by(col(Subscription.account_id))
    if lock:
        found = found.with_for_update(of=Subscription).execution_options(populate_existing=True)
    return [(row, contract_of(row, name, email)) for row, name, email in session.execute(found)]


def contracts_of(session: Session, partner_id: int) -> list[Contract]:
    """All of a partner's as `plan` knows them, to read: as objects of the mapper, thousands would take seconds."""
    kept = (getattr(Subscription, name) for name in _OF_CONTRACT)
    found = select(*kept, Account.name, Account.email).join(Account, col(Account.id) == col(Subscription.account_id))
    mine = found.where(col(Subscription.partner_id) == partner_id).order_by(col(Subscription.account_id))
    return [
        Contract(**dict(zip(_OF_CONTRACT, row[:-2], strict=True)), name=row.name, email=row.email)
        for row in session.execute(mine)
    ]


def due(partner_id: int, on: date, *, payment_day: bool) -> ColumnElement[bool]:
    """The subscriptions that a day may bill: with a matter of their own by then, and on the payment day the others."""
    acting = col(Subscription.acts_on) <= on
    both = or_(acting, col(Subscription.acts_on).is_(None)) if payment_day else acting
    return (col(Subscription.partner_id) == partner_id) & both


def contract_of(row: Subscription, name: str, email: str) -> Contract:
    """A subscription as `plan` knows it."""
    return Contract(**{each: getattr(row, each) for each in _OF_CONTRACT}, name=name, email=email)


def usage_of(session: Session, account_ids: Sequence[int]) -> dict[int, list[Usage]]:
    """What each account uses now, by service: the billed entities and the sizes of its tasks."""
    found: dict[int, dict[str, list[TaskUsage]]] = {}
    task = (BackupTask.name, BackupTask.billed_entities, BackupTask.size_bytes, BackupTask.entities)
    columns = (BackupTask.account_id, BackupTask.service, *task)
    for start in range(0, len(account_ids), AT_ONCE):
        mine = col(BackupTask.account_id).in_(account_ids[start : start + AT_ONCE])
        order = (col(BackupTask.account_id), col(BackupTask.service), col(BackupTask.id))
        for account_id, service, *values in session.execute(select(*columns).where(mine).order_by(*order)):
            found.setdefault(account_id, {}).setdefault(service, []).append(TaskUsage(*values))
    return {account_id: [_usage(*each) for each in services.items()] for account_id, services in found.items()}


def _usage(service: str, tasks: list[TaskUsage]) -> Usage:
    entities, size_bytes = (sum(getattr(task, name) for task in tasks) for name in ("entities", "size_bytes"))
    return Usage(service, entities, size_bytes, tuple(tasks))


def first_day(session: Session, partner: Partner) -> date | None:
    """The partner's day on which the first of its subscriptions of today began."""
    first = session.scalar(
        select(func.min(Account.subscribed_at)).where(
            col(Account.partner_id) == partner.id, col(Account.status).not_in(TRIALS)
        )
    )
    return clock.day_in(partner.time_zone, first) if first else None

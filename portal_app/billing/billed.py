"""What was billed in each of the last months."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

from babel.dates import format_date
from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.accounts import repository as accounts
from portal_app.auth.actor import Actor
from portal_app.auth.permissions import Permission
from portal_app.billing import bill_reading
from portal_app.billing.calendar import add_months
from portal_app.billing.plan import Forecast
from portal_app.geometry import BarChart, Series, stacked_bars
from portal_app.models import Account, Bill, BillShare
from portal_app.money import LOCALE, amount_text

MONTHS = 12


@dataclass(frozen=True, slots=True)
class Month:
    """A month such as "Nov" of the year that it is in, and what was billed in it less what was credited."""

    first: date
    label: str
    amount_minor: int


def billed_per_month(session: Session, actor: Actor) -> list[Month]:
    """The last twelve months, this one last; of the actor's own accounts. Raises Denied."""
    actor.require(Permission.BILLING_VIEW)
    this = clock.day_in(actor.time_zone).replace(day=1)
    firsts = [add_months(this, n - MONTHS + 1) for n in range(MONTHS)]
    billed: Counter[date] = Counter()
    for issued_on, amount in _per_day(session, actor, firsts[0]):
        billed[issued_on.replace(day=1)] += amount
    return [Month(first, _label(first), billed[first]) for first in firsts]


def round_amount(currency: str, minor: float) -> str:
    """An amount for a chart, without zeros behind the point."""
    return re.sub(r"\.0+$", "", amount_text(round(minor), currency))


def chart(session: Session, actor: Actor, expected: Iterable[Forecast] | None = None) -> BarChart:
    """The months as bars; with what is `expected`, this and the next month's bills to come stand on top. Denied."""
    months = billed_per_month(session, actor)
    series = [Series("Billed", "accent", [month.amount_minor for month in months])]
    labels = [month.label for month in months]
    if expected is not None:
        following = add_months(months[-1].first, 1)
        to_come = Counter[date]()
        for one in expected:
            to_come[one.on.replace(day=1)] += one.amount_minor
        labels.append(_label(following))
        firsts = [*(month.first for month in months), following]
        series = [
            Series("Billed", "accent", [*series[0].values, 0]),
            Series("Forecast", "grey", [to_come[first] for first in firsts]),
        ]
    return stacked_bars(labels, series, words=partial(round_amount, actor.currency))


def _label(first: date) -> str:
    return format_date(first, "MMM", locale=LOCALE)


def _per_day(session: Session, actor: Actor, since: date) -> list[tuple[date, int]]:
    day, mine = col(Bill.issued_on), and_(bill_reading.in_scope(actor), col(Bill.issued_on) >= since)
    if actor.all_accounts:
        wanted = select(day, func.sum(Bill.total_minor)).where(mine)
    else:
        own = col(BillShare.account_id).in_(select(col(Account.id)).where(accounts.in_scope(actor)))
        shared = select(day, func.sum(BillShare.amount_minor)).join(BillShare, col(BillShare.bill_id) == col(Bill.id))
        wanted = shared.where(mine, own)
    return [(issued_on, int(amount)) for issued_on, amount in session.execute(wanted.group_by(day))]

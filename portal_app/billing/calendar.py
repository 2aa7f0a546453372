"""Days of billing. A span of days ends before its `ends_on`; every date is computed from its anchor (spec 5.2).

31 January plus a month is 28 or 29 February, plus two is 31 March: never add to a date that was itself added to.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from portal_app.models import BillingMethod, Plan

MONTHS = {Plan.MONTHLY: 1, Plan.ANNUAL: 12}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """Days of one period: all of its `of_days`, or a part of them."""

    starts_on: date
    ends_on: date
    days: int
    of_days: int

    @property
    def whole(self) -> bool:
        return self.days == self.of_days


def days_due(done: date, today: date) -> Iterator[date]:
    """The days after `done` up to today, in order; none if the clock went back."""
    while done < today:
        done += _DAY
        yield done


def on_day(year: int, month: int, day: int) -> date:
    """That day of a month, or its last if it has no such day."""
    return date(year, month, day if day <= 28 else min(day, calendar.monthrange(year, month)[1]))


def add_months(anchor: date, n: int) -> date:
    """The anchor's day `n` months on, clamped to the month's end."""
    years, month = divmod(anchor.month - 1 + n, 12)
    return on_day(anchor.year + years, month + 1, anchor.day)


def payment_date(payment_day: int, month_of: date) -> date:
    """The payment day of the month that a date is in."""
    return on_day(month_of.year, month_of.month, payment_day)


def effective_date(issued: date) -> date:
    """The next first of the month: where the month of a consolidated bill begins."""
    return add_months(issued.replace(day=1), 1)


def due_date(method: str, plan: str, issued: date, effective: date, anchor_day: int | None = None) -> date:
    """Card: at once; monthly invoice: a month after issue; annual: a month after the effective date.

    `anchor_day`: the day of the month that the date comes from, where February may have clamped it.
    """
    if plan == Plan.MONTHLY and method == BillingMethod.CARD:
        return issued
    start = effective if plan == Plan.ANNUAL else issued
    if anchor_day and start == on_day(start.year, start.month, anchor_day):
        return payment_date(anchor_day, add_months(start, 1))
    return add_months(start, 1)


def mark_at(anchor: date, day: date, months: int = 1) -> date:
    """The last mark of the anchor's months (or years: 12) that is not after the day."""
    return add_months(anchor, _periods(anchor, day, months) * months)


def mark_after(anchor: date, day: date, months: int = 1) -> date:
    """The first mark after the day."""
    return add_months(anchor, (_periods(anchor, day, months) + 1) * months)


def month_before(anchor: date, mark: date) -> date:
    """The anchor's day in the month before one of its marks."""
    return payment_date(anchor.day, add_months(mark.replace(day=1), -1))


def pieces(starts_on: date, ends_on: date, anchor: date, months: int = 1) -> tuple[Piece, ...]:
    """The span, split at the anchor's marks. Empty if it ends before it starts."""
    found = []
    while starts_on < ends_on:
        begins, ends = mark_at(anchor, starts_on, months), mark_after(anchor, starts_on, months)
        until = min(ends, ends_on)
        found.append(Piece(starts_on, until, (until - starts_on).days, (ends - begins).days))
        starts_on = until
    return tuple(found)


def _periods(anchor: date, day: date, months: int) -> int:
    """How many whole periods lie between the anchor and the day (negative before it)."""
    n = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    return n if add_months(anchor, n * months) <= day else n - 1

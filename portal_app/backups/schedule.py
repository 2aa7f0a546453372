"""When a task is backed up next."""

from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from portal_app.models import Every

_DAYS = {Every.DAILY: 1, Every.THREE_DAYS: 3, Every.WEEKLY: 7}


class Planned(Protocol):
    """What of a task the plan needs. `created_at` decides which of the days a task that is not daily gets."""

    every: str
    hour: int
    created_at: datetime


def next_after(task: Planned, now: datetime) -> datetime:
    """The first instant after `now` at which the task is due: at its hour in UTC, every so many days.

    Days are counted from the first full hour after the task was made, so that a late run moves no later one.
    """
    first = _next_day(task.created_at, task.hour)
    days = timedelta(days=_DAYS[Every(task.every)])
    if now < first:
        return first
    return first + days * ((now - first) // days + 1)


def _next_day(at: datetime, hour: int) -> datetime:
    same = datetime.combine(at.astimezone(UTC).date(), time(hour), tzinfo=UTC)
    return same if same > at else same + timedelta(days=1)

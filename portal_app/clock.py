"""The one clock. All instants are aware datetimes in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal_app.settings import settings


def now() -> datetime:
    """The current instant in UTC, moved by PORTAL_CLOCK_OFFSET_DAYS."""
    return datetime.now(UTC) + timedelta(days=settings().clock_offset_days)


def today() -> date:
    """The current date in UTC."""
    return now().date()


def end_of(day: date) -> datetime:
    """The last instant of a day in UTC."""
    return datetime.combine(day, time.max, tzinfo=UTC)


def day_in(time_zone: str, at: datetime | None = None) -> date:
    """The day that it is in a zone at an instant; now, unless told."""
    return (at or now()).astimezone(ZoneInfo(time_zone)).date()

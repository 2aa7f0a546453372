"""Instants in words, in the partner's time zone."""

from datetime import datetime
from functools import cache
from typing import TypedDict
from zoneinfo import available_timezones

from babel.dates import format_datetime, get_timezone

LOCALE = "en"


class Moment(TypedDict):
    """An instant as people read it, and exactly."""

    text: str
    exact: str


NEVER = Moment(text="\u2013", exact="")


def moment(at: datetime | None, time_zone: str) -> Moment:
    """Such as "Nov 23, 2026, 3:07 PM" with "2026-11-23 14:07:51 UTC" for whoever wants it exactly."""
    if at is None:
        return NEVER
    # The seconds are noise in a list; the exact instant keeps them.
    shown = format_datetime(at, "MMM d, y, h:mm a", tzinfo=get_timezone(time_zone), locale=LOCALE)
    return Moment(text=shown, exact=f"{at:%Y-%m-%d %H:%M:%S} UTC")


def day(at: datetime | None, time_zone: str) -> Moment:
    """Such as "November 23, 2026"; exactly as `moment` has it."""
    if at is None:
        return Moment(text="", exact="")
    shown = format_datetime(at, "MMMM d, y", tzinfo=get_timezone(time_zone), locale=LOCALE)
    return Moment(text=shown, exact=f"{at:%Y-%m-%d %H:%M:%S} UTC")


@cache
def time_zones() -> tuple[str, ...]:
    """The names to choose a time zone from: places, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return "UTC", *sorted(places)

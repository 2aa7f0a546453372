"""When a partner's summary is due."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal_app.models import Frequency, NotificationSettings, Partner

# In the partner's zone: the night's backups are in it, and people find it when they begin to work.
HOUR = 6


@dataclass(frozen=True, slots=True)
class Period:
    """Of a partner, from its mark in `settings` to `end`: what one report tells of."""

    partner: Partner
    settings: NotificationSettings
    start: datetime
    end: datetime

    @property
    def partner_id(self) -> int:
        return self.settings.partner_id


def last_end(frequency: str, time_zone: str, now: datetime) -> datetime:
    """The end of the newest period that is over: 6 in the morning of a day, of a Monday, or of the first of a month."""
    zone = ZoneInfo(time_zone)
    day = (now.astimezone(zone) - timedelta(hours=HOUR)).date()
    if frequency == Frequency.WEEKLY:
        day -= timedelta(days=day.weekday())
    elif frequency == Frequency.MONTHLY:
        day = day.replace(day=1)
    return datetime.combine(day, time(HOUR), zone).astimezone(now.tzinfo)

"""What the audit is asked for: filters and place. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from portal_app.audit.tags import Activity
from portal_app.paging import PAGE_SIZES, page_size

PATH = "/security-audit"
# The provider's own chain, and any partner's, for operators.
OPERATOR_PATH = "/operator/audit"
COMPLETED, FAILED = "completed", "failed"
LONGEST_TEXT = 254
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A row's place in the order of the page: by instant, then by number."""

    made_at: datetime
    number: int

    def __str__(self) -> str:
        return f"{(self.made_at - _EPOCH) // _MICROSECOND}-{self.number}"

    @classmethod
    def of(cls, text: str) -> "Mark | None":
        """The mark in an address; None when it holds none."""
        micros, _, number = text.partition("-")
        if not all(part.isascii() and part.isdecimal() and len(part) <= 17 for part in (micros, number)):
            return None
        return cls(_EPOCH + int(micros) * _MICROSECOND, int(number))


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """A question for the audit; empty text asks for all. The days are the partner's own, both inclusive."""

    since: str = ""
    until: str = ""
    activity: str = ""
    status: str = ""
    account: str = ""
    user: str = ""
    before: Mark | None = None
    after: Mark | None = None
    size: int = PAGE_SIZES[0]
    # Whose audit an operator asks for: a partner's ID, or the provider's own without one.
    partner: str = ""
    path: str = PATH

    @classmethod
    def from_address(cls, values: Mapping[str, Any], path: str = PATH) -> "AuditQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value for key, value in values.items() if isinstance(value, str)}
        # PostgreSQL takes no NUL.
        texts = {key: value.replace("\0", "")[:LONGEST_TEXT] for key, value in texts.items()}
        activity, status = texts.get("activity", ""), texts.get("status", "")
        return cls(
            since=_day(texts.get("from", "")),
            until=_day(texts.get("to", "")),
            activity=activity if activity in list(Activity) else "",
            status=status if status in (COMPLETED, FAILED) else "",
            account=texts.get("account", ""),
            user=texts.get("user", ""),
            before=Mark.of(texts.get("before", "")),
            after=Mark.of(texts.get("after", "")),
            size=page_size(texts.get("size", "")),
            partner=texts.get("partner", "")[:20].strip().upper() if path == OPERATOR_PATH else "",
            path=path,
        )

    def filters(self) -> dict[str, str]:
        """The filters by their names in an address, those that ask for nothing too."""
        whose = {"partner": self.partner} if self.path == OPERATOR_PATH else {}
        return whose | {
            "from": self.since,
            "to": self.until,
            "activity": self.activity,
            "status": self.status,
            "account": self.account,
            "user": self.user,
        }

    @property
    def filtered(self) -> bool:
        return any(value.strip() for value in self.filters().values())

    @property
    def narrowed(self) -> bool:
        """Whether it asks for some rows of a chain only."""
        return any(value.strip() for name, value in self.filters().items() if name != "partner")

    def address(self, *, before: Mark | None = None, after: Mark | None = None) -> str:
        """The page's address for these filters at another place."""
        place = {"before": str(before or ""), "after": str(after or "")}
        size = {"size": str(self.size) if self.size != PAGE_SIZES[0] else ""}
        asked = {key: value for key, value in (self.filters() | size | place).items() if value}
        return f"{self.path}?{urlencode(asked)}" if asked else self.path

    def unplaced(self) -> "AuditQuery":
        """The same from the newest row on."""
        return replace(self, before=None, after=None)

    def span(self, time_zone: str) -> tuple[datetime | None, datetime | None]:
        """The first instant asked for, and the first one after."""
        since = _begin(date.fromisoformat(self.since), time_zone) if self.since else None
        until = _begin(date.fromisoformat(self.until) + timedelta(days=1), time_zone) if self.until else None
        return since, until


def _begin(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def _day(text: str) -> str:
    """The date as it was given, if it is one that has a day before and after it in every zone."""
    try:
        found = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return ""
    return text if found and 1 < found.year < 9999 else ""

"""What an account's activity is asked for: kind and place. It is also the page's address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from portal_app.paging import PAGE_SIZES, page_size

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Kind(StrEnum):
    """What kinds of things happen in an account."""

    BACKUP = "backup"
    RESTORE = "restore"
    EXPORT = "export"
    CHANGE = "change"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the list: by instant, then by where the row is kept (0 to 2), then by its number there."""

    at: datetime
    source: int
    number: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.source}-{self.number}"

    @classmethod
    def of(cls, text: str) -> "Mark | None":
        """The mark in an address; None when it holds none."""
        parts = text.split("-")
        if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) <= 16 for part in parts):
            return None
        micros, source, number = map(int, parts)
        return cls(_EPOCH + micros * _MICROSECOND, source, number)


@dataclass(frozen=True, slots=True)
class ActivityQuery:
    """A question for what happened in an account; `before` is the last row of the page before."""

    account_id: int
    kind: str = ""
    before: Mark | None = None
    size: int = PAGE_SIZES[0]

    @classmethod
    def from_address(cls, values: Mapping[str, Any], account_id: int) -> "ActivityQuery":
        """The query of an address; what it can't read is as if it weren't there."""
        texts = {key: value for key, value in values.items() if isinstance(value, str)}
        kind = texts.get("kind", "")
        return cls(
            account_id,
            kind if kind in list(Kind) else "",
            Mark.of(texts.get("before", "")),
            page_size(texts.get("size", "")),
        )

    def address(self, before: Mark | None = None) -> str:
        """The page's address for this kind at another place."""
        size = str(self.size) if self.size != PAGE_SIZES[0] else ""
        values = {"kind": self.kind, "size": size, "before": str(before or "")}
        asked = {name: value for name, value in values.items() if value}
        path = f"/accounts/{self.account_id}/activity"
        return f"{path}?{urlencode(asked)}" if asked else path

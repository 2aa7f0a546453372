"""Single values of an existing portal, read carefully: numbers may come as texts, dates in three shapes."""

import re
from datetime import UTC, date, datetime, time
from typing import Any

from portal_app.accounts.import_csv import shown
from portal_app.text import clean, has_control

_DAY, _MOMENT = re.compile(r"\d{8}"), re.compile(r"\d{14}")
_NUMBER = re.compile(r"\d{1,18}(\.0*)?")
_DIGITS_AT_END = re.compile(r"^(?P<name>.*\D)\s*\d+$", re.DOTALL)
MOST_NUMBER = 2**60


class Unread(ValueError):
    """A value that can't be read; `args[0]` is the sentence for people."""


def told(value: Any) -> str:
    """The value as a report may show it."""
    return shown(value if isinstance(value, str) else repr(value)[:200])


def text(value: Any, most: int) -> str:
    """A text, empty for none. Raises Unread for what is none, too long, or holds what no name needs."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unread("This is not a text.")
    found = clean(str(value))
    if has_control(found):
        raise Unread("This holds invisible control characters.")
    if len(found) > most:
        raise Unread(f"This is longer than {most} characters.")
    return found


def number(value: Any) -> int:
    """A whole number of at least 0, none as 0. Raises Unread."""
    if value is None or value == "":
        return 0
    if isinstance(value, bool):
        raise Unread("This is not a number.")
    if isinstance(value, int | float) and value == value // 1 and 0 <= value <= MOST_NUMBER:
        return int(value)
    if isinstance(value, str) and _NUMBER.fullmatch(plain := value.strip().replace(",", "")):
        return number(int(plain.partition(".")[0]))
    raise Unread("This is not a whole number of at least 0.")


def moment(value: Any) -> datetime | None:
    """An instant in UTC: 20210311, 20230330202812 or 2021-01-07T11:44:57.000Z; None for none. Raises Unread."""
    if value in (None, "", 0):
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Unread("This is not a date.")
    given = str(value).strip()
    try:
        found = _shaped(given)
    except ValueError:
        raise Unread("This is not a date such as 20210311, 20230330202812 or 2021-01-07T11:44:57Z.") from None
    if not 2000 <= found.year <= 2100:
        raise Unread("This year can't be meant.")
    return found


def _shaped(given: str) -> datetime:
    if _DAY.fullmatch(given):
        return datetime.combine(date(int(given[:4]), int(given[4:6]), int(given[6:])), time(), UTC)
    if _MOMENT.fullmatch(given):
        return datetime.strptime(given, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    found = datetime.fromisoformat(given)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def without_digits(name: str) -> str:
    """The name without digits at its end; the name itself when nothing else would be left."""
    found = _DIGITS_AT_END.match(name)
    shorter = found["name"].rstrip(" -_#.,(") if found else ""
    return shorter if sum(map(str.isalpha, shorter)) > 1 else name

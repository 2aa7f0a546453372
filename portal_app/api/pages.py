"""Lists in pages: a page names the place where the next one begins, so that no row is missed or told twice."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from portal_app.errors import Invalid

T = TypeVar("T")
Row = TypeVar("Row")
Place = tuple[int, ...]

MOST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Asked(BaseModel):
    """What may be asked of every list. A name that no list knows is refused: a filter mistyped would find all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=MOST, description="How many rows at most.")
    cursor: str = Field("", max_length=80, description="`next` of the page before; left out: from the beginning.")

    def place(self, parts: int = 1) -> Place | None:
        """Where the page begins, in so many numbers. Raises Invalid."""
        return _place(self.cursor, parts) if self.cursor else None


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    data: list[T] = Field(description="The rows.")
    next: str | None = Field(
        description="Pass it as `cursor` for the next page; null on the last one. The `Link` header holds its address."
    )


class Turn:
    """Makes the page that answers a request."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request, self._response = request, response

    def page(
        self, rows: Sequence[Row], limit: int, show: Callable[[Row], Any], place: Callable[[Row], Place]
    ) -> Page[Any]:
        """The page of `rows`, of which there is one more than `limit` if there is a next one."""
        shown = rows[:limit]
        following = _cursor(place(shown[-1])) if len(rows) > limit else None
        if following is not None:
            self._response.headers["Link"] = f'<{self._address(following)}>; rel="next"'
        return Page(data=[show(row) for row in shown], next=following)

    def _address(self, cursor: str) -> str:
        kept = [(name, value) for name, value in self._request.query_params.multi_items() if name != "cursor"]
        return f"{self._request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"


Turned = Annotated[Turn, Depends(Turn)]


def instant(at: datetime) -> int:
    """An instant as a number for a place."""
    return (at - _EPOCH) // _MICROSECOND


def instant_of(number: int) -> datetime:
    """The instant of a number in a place. Raises Invalid."""
    try:
        return _EPOCH + number * _MICROSECOND
    except OverflowError:
        raise _unknown() from None


def _cursor(place: Iterable[int]) -> str:
    return base64.urlsafe_b64encode("-".join(map(str, place)).encode()).decode().rstrip("=")


def _place(cursor: str, parts: int) -> Place:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
    except (ValueError, binascii.Error):
        raise _unknown() from None
    numbers = text.split("-")
    if len(numbers) != parts or not all(part.isdecimal() and len(part) <= 17 for part in numbers):
        raise _unknown()
    return tuple(map(int, numbers))


def _unknown() -> Invalid:
    return Invalid(cursor="This is no cursor of this list.")

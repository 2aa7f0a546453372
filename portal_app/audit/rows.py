"""All that a page or a file may see of the audit."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from portal_app.audit.query import Mark
from portal_app.audit.tags import Activity
from portal_app.times import Moment, moment

# Of these it matters from where they came, whatever else is said of them.
_FROM_WHERE = frozenset({Activity.SIGN_IN, Activity.ACCESS_REFUSED})


NOTHING = "\u2013"


class AuditRow(NamedTuple):
    """One row of the audit. A million go into a file: a tuple is made in a fraction of a dataclass's time."""

    made_at: datetime
    number: int
    activity: str
    completed: bool
    account_id: int | None
    account_name: str
    performed_by: str
    description: str
    address: str
    browser: str
    # Whether the account still exists for who reads, and may be opened.
    openable: bool = False

    @property
    def mark(self) -> Mark:
        return Mark(self.made_at, self.number)

    @property
    def told(self) -> str:
        """The description; of a sign-in and of a refusal also the browser and the address."""
        parts = [self.description]
        if self.activity in _FROM_WHERE:
            parts += [part for part in (self.browser, self.address) if part and part not in self.description]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the audit. `matching` is exact up to its cap; `more` says that there are more than it counted.

    `note` says why a filter finds nothing.
    """

    rows: list[AuditRow]
    matching: int
    more: bool
    older: bool
    newer: bool
    note: str


class Line(TypedDict):
    """A row in words."""

    number: int
    date: Moment
    activity: str
    completed: bool
    account: str
    href: str
    by: str
    description: str


def line(row: AuditRow, time_zone: str) -> Line:
    """The words of one row; the account is a link while it may be opened."""
    return Line(
        number=row.number,
        date=moment(row.made_at, time_zone),
        activity=row.activity,
        completed=row.completed,
        account=row.account_name or NOTHING,
        href=f"/accounts/{row.account_id}" if row.openable else "",
        by=row.performed_by,
        description=row.told,
    )

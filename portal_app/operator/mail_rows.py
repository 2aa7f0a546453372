"""All that an operator's page may see of mails, and what a list of them is asked for."""

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import ClassVar

from portal_app.models import MailState
from portal_app.operator.job_rows import CODES
from portal_app.paging import ListQuery, Matching

PATH = "/operator/mail"


@dataclass(frozen=True, slots=True)
class MailQuery(ListQuery):
    """A question for mails; the newest come first."""

    SORTS = ("id", "recipient", "kind", "state")
    ORDER = "-id"
    FILTERS: ClassVar = {"kind": Matching(r"[a-z][a-z -]{0,39}"), "state": list(MailState), "partner": CODES}

    _: KW_ONLY
    kind: str = ""
    state: str = ""
    partner: str = ""
    sort: str = "id"
    descending: bool = True

    def address(self, **changes: object) -> str:
        return self.at(PATH, **changes)


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail's envelope; `state` and its kind in words and colour, `partner` empty for the provider's own."""

    id: int
    to: str
    subject: str
    kind: str
    state: str
    state_kind: str
    fault: str
    partner: str
    attempts: int
    queued_at: datetime
    next_at: datetime | None
    finished_at: datetime | None
    may_send: bool
    may_drop: bool


@dataclass(frozen=True, slots=True)
class MailPage:
    """A page of mails; how many match, and how many there are."""

    rows: list[SentMail]
    matching: int
    total: int

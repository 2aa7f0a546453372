"""All that a page may see of tickets."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class TicketRow(NamedTuple):
    """One line of a partner's list, or of the latest ones."""

    id: int
    subject: str
    topic: str
    urgency: str
    state: str
    account_name: str
    opened_by: str
    changed_at: datetime


class QueueRow(NamedTuple):
    """One line of the operators' queue."""

    id: int
    subject: str
    topic: str
    urgency: str
    state: str
    account_name: str
    opened_by: str
    changed_at: datetime
    partner_code: str
    partner_name: str
    assigned_to: str | None
    notes: int


@dataclass(frozen=True, slots=True)
class TicketPage:
    """A page of a list; how many match, and how many there are."""

    rows: list[TicketRow]
    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class QueuePage:
    """The same of the queue."""

    rows: list[QueueRow]
    matching: int
    total: int


class FileRow(NamedTuple):
    """A file of a message, or one that waits in a form."""

    id: int
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of a conversation. `internal` ones are in operators' conversations only."""

    id: int
    author: str
    from_provider: bool
    internal: bool
    text: str
    made_at: datetime
    files: tuple[FileRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A ticket as its partner's people see it. `account_id` is that of an account which may be opened."""

    id: int
    version: int
    subject: str
    topic: str
    urgency: str
    state: str
    account_id: int | None
    account_name: str
    opened_by: str
    created_at: datetime
    messages: tuple[MessageRow, ...]


@dataclass(frozen=True, slots=True)
class DeskTicket:
    """A ticket as operators see it: with whose it is, the internal notes, and who looks after it."""

    shown: Conversation
    partner_id: int
    partner_code: str
    partner_name: str
    assigned_to_id: int | None
    operators: tuple[tuple[int, str], ...]


class AccountLine(NamedTuple):
    """An account that a ticket may be about."""

    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Start:
    """What the form of a new ticket begins with: the account of the address, and whether one may be chosen."""

    account: AccountLine | None
    may_choose: bool

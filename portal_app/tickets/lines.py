"""What the pages show of tickets, in words."""

from collections.abc import Iterable
from typing import TypedDict

from portal_app.sizes import size_text
from portal_app.tickets.rows import FileRow, MessageRow, QueueRow, TicketRow
from portal_app.tickets.words import STATES, TOPICS, URGENCIES
from portal_app.times import Moment, moment

NEW_MESSAGE = "Something new was written here."
_MOST_DIGITS = 9


class FileLine(TypedDict):
    """A file of a message, or of a form."""

    id: int
    name: str
    size: str
    href: str


class MessageLine(TypedDict):
    """A message: `kind` is "asked", "answered" or "note"."""

    id: int
    kind: str
    author: str
    role: str
    text: str
    made: Moment
    files: list[FileLine]


class TicketLine(TypedDict):
    """A ticket in a list."""

    id: int
    title: str
    href: str
    topic: str
    urgency: str
    urgency_kind: str
    state: str
    state_kind: str
    account: str
    opened_by: str
    changed: Moment


class QueueLine(TicketLine):
    """A ticket in the operators' queue."""

    partner: str
    assigned: str
    notes: str


def file_lines(rows: Iterable[FileRow], folder: str = "") -> list[FileLine]:
    """`folder` is the address below which the files are had."""
    return [
        FileLine(id=row.id, name=row.name, size=size_text(row.size_bytes), href=f"{folder}/{row.id}") for row in rows
    ]


def message_lines(rows: Iterable[MessageRow], provider: str, time_zone: str, folder: str) -> list[MessageLine]:
    """A conversation; the provider's people answer under its name, too."""
    return [_message(row, provider, time_zone, folder) for row in rows]


def _message(row: MessageRow, provider: str, time_zone: str, folder: str) -> MessageLine:
    kind = "note" if row.internal else "answered" if row.from_provider else "asked"
    return MessageLine(
        id=row.id,
        kind=kind,
        author=row.author,
        role={"note": "Internal note", "answered": provider, "asked": ""}[kind],
        text=row.text,
        made=moment(row.made_at, time_zone),
        files=file_lines(row.files, folder),
    )


def ticket_line(row: TicketRow | QueueRow, folder: str, time_zone: str) -> TicketLine:
    """A line of a list whose tickets open below `folder`."""
    state, state_kind = STATES[row.state]
    urgency, urgency_kind = URGENCIES[row.urgency]
    return TicketLine(
        id=row.id,
        title=f"#{row.id} {row.subject}",
        href=f"{folder}/{row.id}",
        topic=TOPICS[row.topic],
        urgency=urgency,
        urgency_kind=urgency_kind,
        state=state,
        state_kind=state_kind,
        account=row.account_name,
        opened_by=row.opened_by,
        changed=moment(row.changed_at, time_zone),
    )


def queue_line(row: QueueRow, folder: str, time_zone: str) -> QueueLine:
    """A line of the queue."""
    notes = f"{row.notes} {'note' if row.notes == 1 else 'notes'}" if row.notes else ""
    return QueueLine(
        **ticket_line(row, folder, time_zone), partner=row.partner_code, assigned=row.assigned_to or "", notes=notes
    )


def ticket_number(path: str) -> int:
    """The ticket of a page's address; 0, which none has, for what is no number."""
    last = path.rstrip("/").rpartition("/")[2]
    return int(last) if last.isascii() and last.isdecimal() and len(last) <= _MOST_DIGITS else 0

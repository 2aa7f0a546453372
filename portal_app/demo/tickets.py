"""The demo's tickets: some in every state for each partner, the same at every making."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from portal_app.models import Account, Ticket, TicketFile, TicketMessage, TicketState, TicketUrgency, User
from portal_app.text import fold
from portal_app.tickets.words import queue_place

ASK, ANSWER, NOTE = "ask", "answer", "note"
LOG = b"02:00:04 connecting to the mailbox\n02:00:31 answer 401: the consent has ended\n02:00:31 stopped\n"


@dataclass(frozen=True, slots=True)
class DemoTicket:
    """A ticket; `said` is each message's kind, the hours before now, and its text."""

    subject: str
    topic: str
    state: str
    said: tuple[tuple[str, int, str], ...]
    urgency: str = TicketUrgency.NORMAL
    # Which of the partner's accounts it is about, by its place; None for none.
    about: int | None = None
    file: str = ""
    assigned: bool = False


TICKETS = (
    DemoTicket(
        "A mailbox has not been backed up since Monday",
        "backups",
        TicketState.OPEN,
        (
            (ASK, 30, "One mailbox of this account fails every night since Monday. The others are fine."),
            (NOTE, 26, "The consent has ended on their side; the log says 401. Ask them to renew it."),
            (ANSWER, 25, "The service says that the consent has ended. Please open the task and choose Renew consent."),
            (ASK, 3, "We renewed it, and tonight it failed again. The log is attached."),
        ),
        urgency=TicketUrgency.URGENT,
        about=0,
        file="backup.log",
        assigned=True,
    ),
    DemoTicket(
        "Another storage location for new accounts",
        "change",
        TicketState.OPEN,
        ((ASK, 8, "New customers are all in France. Please make a location in France the default for new accounts."),),
    ),
    DemoTicket(
        "How do I read the consolidated bill?",
        "billing",
        TicketState.ANSWERED,
        (
            (ASK, 52, "Where do I see what each account costs on the consolidated bill?"),
            (ANSWER, 49, "Billing > History: the CSV of the bill has one line for each account and service."),
        ),
        assigned=True,
    ),
    DemoTicket(
        "Restore of a single folder",
        "backups",
        TicketState.CLOSED,
        (
            (ASK, 240, "A customer deleted a folder by mistake. Can we restore only this one?"),
            (ANSWER, 238, "Yes. Open the task, choose the day, tick the folder, and choose Restore."),
            (ASK, 236, "That worked. Thank you."),
        ),
        about=1,
    ),
    DemoTicket(
        "A colleague has a new phone",
        "users",
        TicketState.CLOSED,
        (
            (ASK, 500, "A colleague lost the phone with the authenticator. What can I do?"),
            (ANSWER, 499, "In User Management, reset the second factor in the menu of the colleague's row."),
        ),
        urgency=TicketUrgency.LOW,
    ),
)


def make_tickets(
    session: Session, opener: User, operator: User, accounts: list[Account], now: datetime, *, few: bool = False
) -> None:
    """Add the tickets of a partner; `few` leaves out every other one."""
    people = {ASK: opener, ANSWER: operator, NOTE: operator}
    for given in TICKETS[:: 2 if few else 1]:
        _make(session, given, people, accounts, now)


def _make(session: Session, given: DemoTicket, people: dict[str, User], accounts: list[Account], now: datetime) -> None:
    opener = people[ASK]
    account = accounts[given.about] if given.about is not None else None
    visible = [hours for kind, hours, _ in given.said if kind != NOTE]
    name = account.name if account else ""
    ticket = Ticket(
        partner_id=opener.partner_id or 0,
        account_id=account.id if account else None,
        account_name=name,
        opened_by_id=opener.id,
        opened_by=opener.email,
        assigned_to_id=people[ANSWER].id if given.assigned else None,
        topic=given.topic,
        urgency=given.urgency,
        state=given.state,
        subject=given.subject,
        search_key=fold(f"{given.subject} {name} {opener.email}"),
        queue_place=queue_place(given.state, given.urgency),
        notes=len(given.said) - len(visible),
        version=1,
        created_at=now - timedelta(hours=visible[0]),
        changed_at=now - timedelta(hours=visible[-1]),
        closed_at=now - timedelta(hours=visible[-1]) if given.state == TicketState.CLOSED else None,
    )
    session.add(ticket)
    session.flush()
    for kind, hours, text in given.said:
        message = _message(ticket, people[kind], kind, text, now - timedelta(hours=hours))
        session.add(message)
        session.flush()
    if given.file:
        session.add(
            TicketFile(message_id=message.id, name=given.file, media_type="text/plain", size_bytes=len(LOG), data=LOG)
        )


def _message(ticket: Ticket, author: User, kind: str, text: str, made_at: datetime) -> TicketMessage:
    return TicketMessage(
        ticket_id=ticket.id or 0,
        author_id=author.id,
        author=author.name,
        from_provider=kind != ASK,
        internal=kind == NOTE,
        text=text,
        made_at=made_at,
    )

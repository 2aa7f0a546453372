"""The rules of tickets on the partner's side: open, read, write, close."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import Ticket, TicketMessage, TicketState, TicketTopic, TicketUrgency
from portal_app.text import clean, fold, has_control
from portal_app.tickets import letters, repository, uploads
from portal_app.tickets.query import TicketQuery
from portal_app.tickets.rows import AccountLine, Conversation, Start, TicketPage, TicketRow
from portal_app.tickets.uploads import NOT_FOUND, NewFile, require_partner
from portal_app.tickets.words import queue_place

LONGEST_SUBJECT = 160
LONGEST_TEXT = 10_000
FOUND_AT_ONCE = 8
HOUR = timedelta(hours=1)
TICKETS_AN_HOUR = 10
MESSAGES_AN_HOUR = 40
TOO_MANY_TICKETS = "You opened many tickets within an hour. Write into one of them, or wait a while."
TOO_MANY_MESSAGES = "You wrote many messages within an hour. Please wait a while; what you typed stays here."
WRITTEN_MEANWHILE = "Something was written here meanwhile. Read it above; then send again what you typed."
CLOSED_MEANWHILE = "This ticket was closed meanwhile. Send again what you typed to open it once more."
CLOSED_ALREADY = "This ticket is closed already."


def open_ticket(
    session: Session,
    actor: Actor,
    *,
    topic: str,
    subject: str,
    text: str,
    urgency: str = TicketUrgency.NORMAL,
    account_id: int | None = None,
    files: Sequence[NewFile] = (),
    from_form: bool = False,
) -> Ticket:
    """Ask the provider something, with these files and, `from_form`, those that wait in the form of a new ticket.

    Raises Denied (also for too many within an hour), and Invalid by the names of the arguments.
    """
    require_partner(actor)
    subject, text = clean(subject), tidy(text)
    account = _account(session, actor, account_id)
    _refuse(
        topic="" if topic in list(TicketTopic) else "Choose what it is about.",
        subject=_subject_fault(subject),
        text=text_fault(text),
        urgency="" if urgency in list(TicketUrgency) else "Choose how urgent it is.",
        account_id="" if account or not account_id else "This account is not there any more. Choose another, or none.",
    )
    now = clock.now()
    if repository.opened_since(session, actor.user_id, now - HOUR) >= TICKETS_AN_HOUR:
        raise Denied(TOO_MANY_TICKETS)
    name = account.name if account else ""
    ticket = Ticket(
        partner_id=actor.partner_id or 0,
        account_id=account.id if account else None,
        account_name=name,
        opened_by_id=actor.user_id,
        opened_by=actor.email,
        topic=topic,
        urgency=urgency,
        subject=subject,
        search_key=fold(f"{subject} {name} {actor.email}"),
        queue_place=queue_place(TicketState.OPEN, urgency),
        created_at=now,
        changed_at=now,
    )
    session.add(ticket)
    session.flush()
    message = add_message(session, actor, ticket, text)
    uploads.add(session, message.id or 0, files)
    count = len(files) + (uploads.send(session, actor, 0, message.id or 0) if from_form else 0)
    letters.tell_provider(session, ticket, message, count, _who(actor), is_first=True)
    _audit(session, actor, ticket, f"Ticket {ticket.id} opened")
    return ticket


def reply(session: Session, actor: Actor, ticket_id: int, version: int, text: str) -> None:
    """Write in a ticket, with the files of the actor's form; a closed one opens again.

    `version` is that of the conversation which the actor read. Raises Denied, NotFound, Conflict, Invalid (`text`).
    """
    ticket = _own(session, actor, ticket_id)
    text = tidy(text)
    _refuse(text=text_fault(text))
    require_read(ticket, version)
    require_turn(session, actor)
    reopened = ticket.state == TicketState.CLOSED
    move(ticket, TicketState.OPEN, clock.now())
    message = add_message(session, actor, ticket, text)
    count = uploads.send(session, actor, ticket_id, message.id or 0)
    letters.tell_provider(session, ticket, message, count, _who(actor))
    _audit(session, actor, ticket, f"Ticket {ticket.id} {'reopened' if reopened else 'written in'}")


def close(session: Session, actor: Actor, ticket_id: int, version: int) -> None:
    """End a ticket. Raises Denied, NotFound, Conflict."""
    ticket = _own(session, actor, ticket_id)
    if ticket.state == TicketState.CLOSED:
        raise Conflict(CLOSED_ALREADY)
    require_read(ticket, version)
    move(ticket, TicketState.CLOSED, clock.now())
    session.add(ticket)
    if actor.user_id != ticket.opened_by_id:
        letters.tell_opener_of_closing(session, ticket, actor.name or actor.email)
    _audit(session, actor, ticket, f"Ticket {ticket.id} closed")


def list_page(session: Session, actor: Actor, query: TicketQuery) -> TicketPage:
    """A page of the actor's tickets. Raises Denied."""
    require_partner(actor)
    return repository.page(session, actor, query)


def may_ask(actor: Actor) -> bool:
    """Whether the actor is one who has tickets."""
    return actor.kind == ActorKind.PARTNER and actor.may(Permission.TICKETS_OPEN)


def latest(session: Session, actor: Actor, limit: int) -> list[TicketRow]:
    """The actor's last tickets; none for who has no tickets."""
    if not may_ask(actor):
        return []
    return repository.latest(session, actor, limit)


def show(session: Session, actor: Actor, ticket_id: int) -> Conversation:
    """A ticket with its conversation. Raises Denied, NotFound."""
    require_partner(actor)
    ticket = repository.find(session, actor, ticket_id)
    if ticket is None:
        raise NotFound(NOT_FOUND)
    there = ticket.account_id and repository.account_line(session, actor, ticket.account_id)
    openable = bool(there) and actor.may(Permission.ACCOUNTS_ACCESS)
    return conversation(session, ticket, account_id=ticket.account_id if openable else None)


def start(session: Session, actor: Actor, account_id: int | None) -> Start:
    """What the form of a new ticket begins with. An account that the actor may not see is none."""
    require_partner(actor)
    may_choose = actor.may(Permission.DASHBOARD_VIEW) or actor.may(Permission.ACCOUNTS_ACCESS)
    return Start(_account(session, actor, account_id), may_choose)


def account_choice(session: Session, actor: Actor, words: str) -> list[AccountLine]:
    """The first accounts that a new ticket may be about."""
    require_partner(actor)
    return repository.accounts_named(session, actor, words, FOUND_AT_ONCE)


def conversation(session: Session, ticket: Ticket, *, account_id: int | None, internal: bool = False) -> Conversation:
    """What is shown of a ticket that was found before; notes only where they are asked for."""
    return Conversation(
        id=ticket.id or 0,
        version=ticket.version,
        subject=ticket.subject,
        topic=ticket.topic,
        urgency=ticket.urgency,
        state=ticket.state,
        account_id=account_id,
        account_name=ticket.account_name,
        opened_by=ticket.opened_by,
        created_at=ticket.created_at,
        messages=repository.messages(session, ticket.id or 0, internal=internal),
    )


def tidy(text: object) -> str:
    """A message without spaces around it, its lines ended in one way."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(text, str) else ""


def text_fault(text: str) -> str:
    """The sentence beside a message that can't be taken; empty when it can."""
    if not text:
        return "Write what it is about."
    if len(text) > LONGEST_TEXT:
        return f"Use at most {LONGEST_TEXT:,} characters; this has {len(text):,}. Longer texts go as a file."
    return "Remove the invisible control characters." if has_control(text.translate({9: " ", 10: " "})) else ""


def require_read(ticket: Ticket, version: int) -> None:
    """Raise Conflict when something happened that the actor has not seen."""
    if ticket.version != version:
        raise Conflict(CLOSED_MEANWHILE if ticket.state == TicketState.CLOSED else WRITTEN_MEANWHILE)


def require_turn(session: Session, actor: Actor) -> None:
    """Raise Denied when the actor wrote too much within the last hour."""
    if repository.written_since(session, actor.user_id, clock.now() - HOUR) >= MESSAGES_AN_HOUR:
        raise Denied(TOO_MANY_MESSAGES)


def move(ticket: Ticket, state: str, now: object) -> None:
    """Whose turn it is from now on; whoever has the ticket open is told by its version."""
    ticket.state, ticket.queue_place = state, queue_place(state, ticket.urgency)
    ticket.version += 1
    ticket.changed_at = now
    ticket.closed_at = now if state == TicketState.CLOSED else None


def add_message(session: Session, actor: Actor, ticket: Ticket, text: str, **kind: bool) -> TicketMessage:
    """Write a message down."""
    message = TicketMessage(
        ticket_id=ticket.id or 0,
        author_id=actor.user_id,
        author=actor.name or actor.email,
        text=text,
        made_at=clock.now(),
        **kind,
    )
    session.add(ticket)
    session.add(message)
    session.flush()
    return message


def _who(actor: Actor) -> str:
    return f"{actor.name} ({actor.email})" if actor.name else actor.email


def _own(session: Session, actor: Actor, ticket_id: int) -> Ticket:
    require_partner(actor)
    ticket = repository.find(session, actor, ticket_id, lock=True)
    if ticket is None:
        raise NotFound(NOT_FOUND)
    return ticket


def _account(session: Session, actor: Actor, account_id: int | None) -> AccountLine | None:
    return repository.account_line(session, actor, account_id) if account_id else None


def _subject_fault(subject: str) -> str:
    if not subject:
        return "Give it a subject."
    if len(subject) > LONGEST_SUBJECT:
        return f"Use at most {LONGEST_SUBJECT} characters; this has {len(subject):,}."
    return "Remove the invisible control characters." if has_control(subject) else ""


def _refuse(**faults: str) -> None:
    if found := {field: sentence for field, sentence in faults.items() if sentence}:
        raise Invalid(**found)


def _audit(session: Session, actor: Actor, ticket: Ticket, told: str) -> None:
    record(session, actor, Activity.SUPPORT_TICKET, told, account=(ticket.account_id, ticket.account_name))

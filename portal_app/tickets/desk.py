"""The rules of tickets on the provider's side. What operators do to a partner's ticket is in both audits; what only

operators see, their notes and who looks after what, is in the provider's alone.
"""

from sqlmodel import Session

from portal_app import clock
from portal_app.audit.service import record
from portal_app.audit.tags import Activity
from portal_app.auth.actor import Actor, ActorKind
from portal_app.errors import Conflict, Denied, Invalid, NotFound
from portal_app.models import Partner, Ticket, TicketState
from portal_app.settings import settings
from portal_app.tickets import letters, repository, uploads
from portal_app.tickets.query import QueueQuery
from portal_app.tickets.rows import DeskTicket, QueuePage
from portal_app.tickets.service import add_message, conversation, move, require_read, text_fault, tidy
from portal_app.tickets.uploads import NOT_FOUND

ASSIGNED_MEANWHILE = "Somebody else was put in charge meanwhile. See who it is now, and choose again."


def queue(session: Session, actor: Actor, query: QueueQuery) -> QueuePage:
    """A page of all partners' tickets. Raises Denied."""
    _require_operator(actor)
    return repository.queue(session, actor, query)


def show(session: Session, actor: Actor, ticket_id: int) -> DeskTicket:
    """A ticket with its conversation and the notes. Raises Denied, NotFound."""
    _require_operator(actor)
    ticket = repository.find(session, actor, ticket_id)
    if ticket is None:
        raise NotFound(NOT_FOUND)
    partner = session.get_one(Partner, ticket.partner_id)
    return DeskTicket(
        shown=conversation(session, ticket, account_id=ticket.account_id, internal=True),
        partner_id=ticket.partner_id,
        partner_code=partner.code,
        partner_name=partner.name,
        assigned_to_id=ticket.assigned_to_id,
        operators=repository.operators(session),
    )


def answer(session: Session, actor: Actor, ticket_id: int, version: int, text: str, *, close: bool = False) -> None:
    """Write to the partner, with the files of the actor's form, and close the ticket if asked.

    Raises Denied, NotFound, Conflict when something happened since `version`, Invalid (`text`).
    """
    ticket, text = _found(session, actor, ticket_id), _checked(text)
    require_read(ticket, version)
    move(ticket, TicketState.CLOSED if close else TicketState.ANSWERED, clock.now())
    ticket.assigned_to_id = ticket.assigned_to_id or actor.user_id
    message = add_message(session, actor, ticket, text, from_provider=True)
    count = uploads.send(session, actor, ticket_id, message.id or 0)
    letters.tell_opener_of_answer(session, ticket, message, count)
    _audit(session, actor, ticket, f"Ticket {ticket.id} answered{' and closed' if close else ''}")


def note(session: Session, actor: Actor, ticket_id: int, text: str) -> None:
    """Write for operators only: no version, state or time that the partner sees changes. Raises as `answer`."""
    ticket, text = _found(session, actor, ticket_id), _checked(text)
    ticket.notes += 1
    message = add_message(session, actor, ticket, text, from_provider=True, internal=True)
    uploads.send(session, actor, ticket_id, message.id or 0)
    record(session, actor, Activity.SUPPORT_TICKET, f"Internal note in ticket {ticket.id}")


def assign(session: Session, actor: Actor, ticket_id: int, seen: int | None, to: int | None) -> None:
    """Put an operator in charge in place of the one who was `seen`, or nobody. Raises Denied, NotFound, Conflict."""
    ticket = _found(session, actor, ticket_id)
    if ticket.assigned_to_id != seen:
        raise Conflict(ASSIGNED_MEANWHILE)
    names = dict(repository.operators(session))
    if to is not None and to not in names:
        raise Invalid(assigned="Choose one of the operators.")
    ticket.assigned_to_id = to
    session.add(ticket)
    record(session, actor, Activity.SUPPORT_TICKET, f"Ticket {ticket.id} given to {names.get(to or 0, 'nobody')}")


def set_state(session: Session, actor: Actor, ticket_id: int, version: int, state: str) -> None:
    """Whose turn it is, without a word to the partner but that it was closed. Raises as `answer`."""
    ticket = _found(session, actor, ticket_id)
    if state not in list(TicketState):
        raise Invalid(state="Choose a state.")
    require_read(ticket, version)
    if ticket.state == state:
        return
    move(ticket, state, clock.now())
    session.add(ticket)
    if state == TicketState.CLOSED:
        letters.tell_opener_of_closing(session, ticket, settings().brand_name)
    _audit(session, actor, ticket, f"Ticket {ticket.id} set to {state}")


def _checked(text: str) -> str:
    text = tidy(text)
    if fault := text_fault(text):
        raise Invalid(text=fault)
    return text


def _require_operator(actor: Actor) -> None:
    if actor.kind != ActorKind.OPERATOR:
        raise Denied("This page is for the provider's operators.")


def _found(session: Session, actor: Actor, ticket_id: int) -> Ticket:
    _require_operator(actor)
    ticket = repository.find(session, actor, ticket_id, lock=True)
    if ticket is None:
        raise NotFound(NOT_FOUND)
    return ticket


def _audit(session: Session, actor: Actor, ticket: Ticket, told: str) -> None:
    about = ticket.account_id, ticket.account_name
    record(session, actor, Activity.SUPPORT_TICKET, told, account=about)
    record(session, actor, Activity.SUPPORT_TICKET, told, account=about, partner_id=ticket.partner_id)

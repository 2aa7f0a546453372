"""What is mailed about tickets. An internal note is in none of it."""

from collections.abc import Sequence

from sqlmodel import Session

from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import rights_of
from portal_app.mail import service as mail
from portal_app.mail.letter import Letter
from portal_app.mail.links import absolute
from portal_app.models import Partner, PartnerState, Ticket, TicketMessage, User, UserKind, UserState
from portal_app.settings import settings
from portal_app.text import normal_email
from portal_app.tickets import repository
from portal_app.tickets.words import TOPICS, URGENCIES

KIND = "support ticket"
# Characters of a message in a mail; the page has all of it.
LONGEST = 2_000
AUTOMATIC = "Answers to this mail reach nobody: please answer on the page."


def tell_provider(
    session: Session, ticket: Ticket, message: TicketMessage, files: int, by: str, *, is_first: bool = False
) -> None:
    """A new ticket, or what the partner wrote: to the provider's support address."""
    partner = session.get_one(Partner, ticket.partner_id)
    did = "opened" if is_first else "wrote in"
    about = f" about the account {ticket.account_name}" if ticket.account_name else ""
    letter = Letter(
        subject=f"[{partner.code}] Ticket {ticket.id}: {ticket.subject}",
        paragraphs=(
            f"{by} of {partner.name} ({partner.code}) {did} ticket {ticket.id}{about}.",
            f"Topic: {TOPICS[ticket.topic]}. Urgency: {URGENCIES[ticket.urgency][0]}.",
            *_said(message.text, files),
        ),
        action=("Open the ticket", absolute(f"/operator/tickets/{ticket.id}")),
        small=(AUTOMATIC,),
    )
    # Without a partner: nobody but the provider may ever read it.
    mail.queue(session, settings().support_email, letter, kind=KIND, once=f"ticket:{message.id}:provider")


def tell_opener_of_answer(session: Session, ticket: Ticket, message: TicketMessage, files: int) -> None:
    """The provider's answer, to who opened the ticket."""
    letter = Letter(
        subject=f"Answer to ticket {ticket.id}: {ticket.subject}",
        paragraphs=(f"{settings().brand_name} answered your ticket {ticket.id}.", *_said(message.text, files)),
        action=_own_page(ticket),
        small=(AUTOMATIC,),
    )
    _to_opener(session, ticket, letter, f"ticket:{message.id}:opener")


def tell_opener_of_closing(session: Session, ticket: Ticket, by: str) -> None:
    """That somebody else closed the ticket, to who opened it."""
    letter = Letter(
        subject=f"Ticket {ticket.id} was closed: {ticket.subject}",
        paragraphs=(
            f"{by} closed your ticket {ticket.id}.",
            "If something is still open, write there: it opens again.",
        ),
        action=_own_page(ticket),
        small=(AUTOMATIC,),
    )
    _to_opener(session, ticket, letter, f"ticket:{ticket.id}:closed:{ticket.version}")


def _said(text: str, files: int) -> Sequence[str]:
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return (shown, f"With {files} {'file' if files == 1 else 'files'}.") if files else (shown,)


def _own_page(ticket: Ticket) -> tuple[str, str]:
    return "Open the ticket", absolute(f"/support/tickets/{ticket.id}")


def _to_opener(session: Session, ticket: Ticket, letter: Letter, once: str) -> None:
    """Only while the ticket still exists for them; and never to the address that the portal's own mail goes to."""
    user = session.get(User, ticket.opened_by_id) if ticket.opened_by_id else None
    if user is None or not _may_read(session, ticket, user):
        return
    if normal_email(user.email) in {normal_email(settings().support_email), normal_email(mail.sender())}:
        return
    mail.queue(session, user.email, letter, kind=KIND, partner_id=ticket.partner_id, once=once)


def _may_read(session: Session, ticket: Ticket, user: User) -> bool:
    partner = session.get_one(Partner, ticket.partner_id)
    if (user.kind, user.state, partner.state) != (UserKind.PARTNER, UserState.ACTIVE, PartnerState.ACTIVE):
        return False
    reader = Actor(
        kind=ActorKind.PARTNER,
        user_id=user.id,
        partner_id=user.partner_id,
        permissions=rights_of(user.kind, user.role, user.permissions),
        all_accounts=user.all_accounts,
    )
    return repository.find(session, reader, ticket.id or 0) is not None

"""Files of messages: those that wait in a form for its sending, and those that were sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, insert, literal, select
from sqlmodel import Session, col

from portal_app import clock
from portal_app.auth.actor import Actor, ActorKind
from portal_app.auth.permissions import Permission
from portal_app.errors import Denied, Invalid, NotFound
from portal_app.models import TicketFile, TicketUpload, User
from portal_app.tickets import repository
from portal_app.tickets.kinds import MOST_FILES, TOO_MANY, checked
from portal_app.tickets.rows import FileRow

KEPT = timedelta(days=1)
NOT_FOUND = "There is no such ticket."


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to send with a message, as it came."""

    name: str
    data: bytes


def put(session: Session, actor: Actor, ticket_id: int, name: str, data: bytes) -> None:
    """Keep a file in the form of a ticket, or of a new one (0). Raises Denied, NotFound, Invalid (`files`)."""
    require_form(session, actor, ticket_id)
    name, media_type = checked(name, data)
    # Of two uploads at the same moment the second waits here, and counts the first.
    session.execute(select(col(User.id)).where(col(User.id) == actor.user_id).with_for_update(key_share=True))
    prune(session)
    if len(waiting(session, actor, ticket_id)) >= MOST_FILES:
        raise Invalid(files=TOO_MANY)
    values = {"name": name, "media_type": media_type, "size_bytes": len(data), "data": data, "made_at": clock.now()}
    session.add(TicketUpload(user_id=actor.user_id or 0, ticket_id=ticket_id, **values))
    session.flush()


def require_form(session: Session, actor: Actor, ticket_id: int) -> None:
    """Raise Denied or NotFound unless the actor may write in this form."""
    if actor.kind != ActorKind.OPERATOR:
        require_partner(actor)
    elif not ticket_id:
        raise Denied("Operators open no tickets.")
    if ticket_id and repository.find(session, actor, ticket_id) is None:
        raise NotFound(NOT_FOUND)


def require_partner(actor: Actor) -> None:
    """Raise Denied unless it is a partner's own person who may open tickets."""
    actor.require(Permission.TICKETS_OPEN)
    if actor.kind != ActorKind.PARTNER:
        raise Denied("Only a partner's own people have tickets.")


def waiting(session: Session, actor: Actor, ticket_id: int) -> list[FileRow]:
    """The files in the actor's form."""
    columns = (col(TicketUpload.id), col(TicketUpload.name), col(TicketUpload.size_bytes))
    found = session.execute(select(*columns).where(*_mine(actor, ticket_id)).order_by(col(TicketUpload.id)))
    return [FileRow(*row) for row in found]


def remove(session: Session, actor: Actor, ticket_id: int, upload_id: int) -> None:
    """Take a file out of the actor's form."""
    session.execute(delete(TicketUpload).where(*_mine(actor, ticket_id), col(TicketUpload.id) == upload_id))


def send(session: Session, actor: Actor, ticket_id: int, message_id: int) -> int:
    """Hang the form's files on the message, within the database; how many there were."""
    kept = (col(TicketUpload.name), col(TicketUpload.media_type), col(TicketUpload.size_bytes), col(TicketUpload.data))
    taken = select(literal(message_id), *kept).where(*_mine(actor, ticket_id)).order_by(col(TicketUpload.id))
    names = ["message_id", "name", "media_type", "size_bytes", "data"]
    count = session.scalar(select(func.count()).select_from(TicketUpload).where(*_mine(actor, ticket_id))) or 0
    if count:
        session.execute(insert(TicketFile.__table__).from_select(names, taken))
        session.execute(delete(TicketUpload).where(*_mine(actor, ticket_id)))
    return count


def add(session: Session, message_id: int, files: Sequence[NewFile]) -> None:
    """Hang files on a message that the portal itself makes. Raises Invalid (`files`)."""
    if len(files) > MOST_FILES:
        raise Invalid(files=TOO_MANY)
    for file in files:
        name, media_type = checked(file.name, file.data)
        size = len(file.data)
        session.add(
            TicketFile(message_id=message_id, name=name, media_type=media_type, size_bytes=size, data=file.data)
        )


def prune(session: Session) -> None:
    """Forget files of forms that nobody sent; the daily work calls this too."""
    session.execute(delete(TicketUpload).where(col(TicketUpload.made_at) <= clock.now() - KEPT))


def _mine(actor: Actor, ticket_id: int) -> tuple:
    return col(TicketUpload.user_id) == actor.user_id, col(TicketUpload.ticket_id) == ticket_id

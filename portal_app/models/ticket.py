"""Support tickets: what a partner asks, and what the provider answers."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, LargeBinary, Text, false
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of
from portal_app.models.user import first_version


class TicketState(StrEnum):
    """Whose turn it is: `open` the provider's, `answered` the partner's."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class TicketTopic(StrEnum):
    BACKUPS = "backups"
    BILLING = "billing"
    CHANGE = "change"
    OTHER = "other"
    USERS = "users"


class TicketUrgency(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    URGENT = "urgent"


class Ticket(SQLModel, table=True):
    """One question. Names are copied: they outlive the people they name."""

    __tablename__ = "ticket"
    __table_args__ = (
        one_of("state", TicketState),
        one_of("topic", TicketTopic),
        one_of("urgency", TicketUrgency),
        Index(None, "partner_id", "changed_at", "id"),
        Index(None, "opened_by_id", "changed_at", "id"),
        Index(None, "state", "queue_place", "changed_at", "id"),
        Index(None, "queue_place", "changed_at", "id"),
        # Ids are told in mails and never used again.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    # The account it is about, if any; without a foreign key, as the ticket outlives it.
    account_id: int | None = None
    account_name: str = Field(default="", max_length=120)
    opened_by_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL")
    opened_by: str = Field(max_length=254)
    # The operator who looks after it.
    assigned_to_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL", index=True)
    topic: str = TicketTopic.OTHER
    urgency: str = TicketUrgency.NORMAL
    state: str = TicketState.OPEN
    subject: str = Field(max_length=160)
    # Subject, account and opener, folded: what a search looks in.
    search_key: str = Field(max_length=1_600, sa_column_kwargs={"server_default": ""})
    # Where it stands in the operators' queue: what waits first, then by urgency (`tickets.words.queue_place`).
    queue_place: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # How many internal notes it has.
    notes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    # Of what the partner sees: it stays when operators write notes or divide their work.
    version: int = Field(default_factory=first_version)
    created_at: datetime = Field(sa_type=Instant)
    changed_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)


class TicketMessage(SQLModel, table=True):
    """A question, an answer, or an operators' note (`internal`) that the partner never sees."""

    __tablename__ = "ticket_message"
    __table_args__ = (Index(None, "ticket_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", ondelete="CASCADE")
    author_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="SET NULL", index=True)
    author: str = Field(max_length=254)
    from_provider: bool = False
    internal: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    text: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=Instant)


class TicketFile(SQLModel, table=True):
    """A file that came with a message."""

    __tablename__ = "ticket_file"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="ticket_message.id", ondelete="CASCADE", index=True)
    name: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size_bytes: int = Field(sa_type=BigInteger)
    data: bytes = Field(sa_type=LargeBinary)


class TicketUpload(SQLModel, table=True):
    """A file in a form that was not sent yet; `ticket_id` is 0 in the form of a new ticket."""

    __tablename__ = "ticket_upload"
    __table_args__ = (Index(None, "user_id", "ticket_id", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="portal_user.id", ondelete="CASCADE")
    ticket_id: int = 0
    name: str = Field(max_length=200)
    media_type: str = Field(max_length=100)
    size_bytes: int = Field(sa_type=BigInteger)
    data: bytes = Field(sa_type=LargeBinary)
    made_at: datetime = Field(sa_type=Instant, index=True)

"""The outbox: mail that was decided on, whether or not a mail server has taken it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of


class MailState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class OutboxMail(SQLModel, table=True):
    """One mail to one person. `sealed` is its letter, encrypted for this row, and gone some days after the end.

    `next_at` is when somebody looks at the row next: to send it while it waits, to blank it afterwards. `claim` names
    the attempt that is under way, and `once` the event that may queue one mail only.
    """

    __tablename__ = "outbox_mail"
    __table_args__ = (
        one_of("state", MailState),
        Index(None, "state", "next_at"),
        Index(None, "partner_id", "id"),
        # The operators' list; letters are heavy, so that a search for a recipient reads an index only.
        Index(None, "state", "id"),
        Index(None, "kind", "id"),
        Index(None, "recipient", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    message_id: str = Field(max_length=320, unique=True)
    kind: str = Field(max_length=40)
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    recipient: str = Field(max_length=254)
    subject: str = Field(max_length=200)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    state: str = MailState.WAITING
    attempts: int = 0
    claim: str = Field(default="", max_length=32)
    fault: str = Field(default="", max_length=200)
    once: str | None = Field(default=None, max_length=200, unique=True)
    queued_at: datetime = Field(sa_type=Instant)
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)

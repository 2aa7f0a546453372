"""What happened, for programs outside: who is told, what, and how each telling ended."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of, where


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Webhook(SQLModel, table=True):
    """An address of a partner's that is told of events. The secret that signs is sealed for this row."""

    __tablename__ = "webhook"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE", index=True)
    url: str = Field(max_length=500)
    events: list[str] = Field(default_factory=list, sa_type=JSON)
    secret_sealed: bytes = Field(sa_type=LargeBinary)
    # For a day after a change of the secret the old one signs, too: programs are told of the new one one by one.
    old_secret_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    old_secret_until: datetime | None = Field(default=None, sa_type=Instant)
    active: bool = True
    # The first failure since the last success; and why the portal turned it off, if it did.
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    turned_off: str = Field(default="", max_length=200, sa_column_kwargs={"server_default": ""})
    # Whose rights decide what it is told of; none when a command made it.
    created_by_id: int | None = Field(default=None, foreign_key="portal_user.id", ondelete="CASCADE", index=True)
    created_at: datetime = Field(sa_type=Instant)


class WebhookDelivery(SQLModel, table=True):
    """One event to one address. `body` is made once: each attempt sends the same bytes under the same `event_id`."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        one_of("state", DeliveryState),
        Index(None, "webhook_id", "id"),
        Index(None, "next_at", **where("state = 'waiting'")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    webhook_id: int = Field(foreign_key="webhook.id", ondelete="CASCADE")
    event_id: str = Field(max_length=40)
    event: str = Field(max_length=60)
    body: str = Field(sa_type=Text)
    state: str = DeliveryState.WAITING
    attempts: int = 0
    claim: str = Field(default="", max_length=32)
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    status: int | None = None
    fault: str = Field(default="", max_length=200)
    took_ms: int | None = None
    made_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class IdempotencyKey(SQLModel, table=True):
    """A request of a token that was answered: sent again under its key, it gets the same answer and does nothing."""

    __tablename__ = "idempotency_key"

    token_id: int = Field(primary_key=True, foreign_key="api_token.id", ondelete="CASCADE")
    key: str = Field(primary_key=True, max_length=120)
    request_hash: str = Field(max_length=64)
    status: int
    body: str = Field(default="", sa_type=Text)
    made_at: datetime = Field(sa_type=Instant, index=True)

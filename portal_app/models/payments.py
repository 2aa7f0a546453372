"""Cards, attempts to take money, and money taken (spec 5.6, 5.7). No card number is ever here."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Index, true
from sqlmodel import Field, SQLModel

from portal_app.models.base import Instant, one_of, where


class AttemptKind(StrEnum):
    """A charge of the stored card without the customer, a payment on the processor's page, money back."""

    CHARGE = "charge"
    CHECKOUT = "checkout"
    REFUND = "refund"


class AttemptState(StrEnum):
    """UNKNOWN: the answer was lost. It is looked up at the processor before anything is tried again."""

    STARTED = "started"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    CANCELED = "canceled"


class PaymentKind(StrEnum):
    CARD = "card"
    PAYPAL = "paypal"
    BANK = "bank"
    CREDIT = "credit"
    REFUND = "refund"


class Card(SQLModel, table=True):
    """A stored card: the processor's token and what people recognise it by."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("expiry_month BETWEEN 1 AND 12", name="month_of_a_year"),
        Index("uq_card_active", "partner_id", unique=True, **where("active")),
        Index(None, "partner_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    partner_id: int = Field(foreign_key="partner.id", ondelete="CASCADE")
    gateway: str = Field(max_length=20)
    token: str = Field(max_length=120, unique=True)
    brand: str = Field(max_length=20)
    last4: str = Field(max_length=4)
    expiry_month: int
    expiry_year: int
    active: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    created_at: datetime = Field(sa_type=Instant)


class PaymentAttempt(SQLModel, table=True):
    """One try to take a bill's money. `key` is its idempotency key, written before the processor is asked."""

    __tablename__ = "payment_attempt"
    __table_args__ = (
        one_of("kind", AttemptKind),
        one_of("state", AttemptState),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        # One at a time, and one that took the money.
        Index("uq_payment_attempt_open", "bill_id", unique=True, **where("state IN ('started', 'unknown')")),
        Index(
            "uq_payment_attempt_taken",
            "bill_id",
            unique=True,
            **where("state = 'succeeded' AND kind <> 'refund'"),
        ),
        Index(None, "state", "created_at"),
        Index(None, "bill_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=64)
    bill_id: int = Field(foreign_key="bill.id")
    partner_id: int = Field(foreign_key="partner.id")
    kind: str
    state: str = AttemptState.STARTED
    gateway: str = Field(max_length=20)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    card_id: int | None = Field(default=None, foreign_key="card.id", ondelete="SET NULL")
    reference: str = Field(default="", max_length=120, description="The processor's own name of the payment.")
    page: str = Field(default="", max_length=600, description="The processor's hosted page, while it is open.")
    reason: str = Field(default="", max_length=200, description="Why it was declined, as a sentence.")
    created_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class Payment(SQLModel, table=True):
    """Money that came in for a bill, by whatever way; negative for money that went back."""

    __tablename__ = "payment"
    __table_args__ = (one_of("kind", PaymentKind), Index(None, "bill_id"), Index(None, "partner_id", "received_on"))

    id: int | None = Field(default=None, primary_key=True)
    bill_id: int = Field(foreign_key="bill.id")
    partner_id: int = Field(foreign_key="partner.id")
    kind: str
    amount_minor: int = Field(sa_type=BigInteger)
    received_on: date
    attempt_id: int | None = Field(default=None, foreign_key="payment_attempt.id", unique=True)
    note: str = Field(default="", max_length=200)
    created_at: datetime = Field(sa_type=Instant)


class ProcessorEvent(SQLModel, table=True):
    """A processor's message that was worked on: one that comes twice is not worked on again."""

    __tablename__ = "processor_event"

    gateway: str = Field(primary_key=True, max_length=20)
    event_id: str = Field(primary_key=True, max_length=120)
    received_at: datetime = Field(sa_type=Instant)
